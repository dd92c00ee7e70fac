// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zcluster::traffic {

// What a verb has seen so far: names and values, in the order they were added.
class Report {
 public:
  Report& Add(std::string_view name, uint64_t value);
  Report& Add(std::string_view name, double value);  // printed with two decimals
  Report& Add(std::string_view name, bool value);
  Report& AddText(std::string_view name, std::string_view value);  // plain ASCII
  Report& AddJson(std::string_view name, std::string json);        // json as it is

  std::string Json() const;  // one object on one line
  std::string Text() const;  // a line each, names in a column

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Where reports go. A file is replaced in one rename, so that a reader never sees half of one.
struct Output {
  std::string file;   // empty: the last report goes to standard output
  bool text = false;  // the last report also goes to standard output, for people
};

// Numbers the reports, so that a reader can tell the one it asked for from the one before.
class Reporter {
 public:
  explicit Reporter(Output output) : output_(std::move(output)) {}
  void Interim(Report report);
  void Final(Report report);

 private:
  Report Number(Report report, bool final);
  void WriteFile(const Report& report) const;

  Output output_;
  uint64_t sequence_ = 0;
};

}  // namespace zcluster::traffic
