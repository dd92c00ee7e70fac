// SPDX-License-Identifier: Apache-2.0
#include "tests/lab/traffic/report.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>

#include "tests/lab/traffic/net.h"

namespace zcluster::traffic {

Report& Report::Add(std::string_view name, uint64_t value) {
  return AddJson(name, std::to_string(value));
}

Report& Report::Add(std::string_view name, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", value);
  return AddJson(name, text);
}

Report& Report::Add(std::string_view name, bool value) {
  return AddJson(name, value ? "true" : "false");
}

Report& Report::AddText(std::string_view name, std::string_view value) {
  return AddJson(name, '"' + std::string(value) + '"');
}

Report& Report::AddJson(std::string_view name, std::string json) {
  fields_.emplace_back(name, std::move(json));
  return *this;
}

std::string Report::Json() const {
  std::string text = "{";
  for (const auto& [name, value] : fields_) {
    if (text.size() > 1) text += ", ";
    text += '"' + name + "\": " + value;
  }
  return text + "}\n";
}

std::string Report::Text() const {
  size_t widest = 0;
  for (const auto& field : fields_) widest = std::max(widest, field.first.size());
  std::string text;
  for (const auto& [name, value] : fields_) {
    text += name + std::string(widest - name.size() + 2, ' ') + value + '\n';
  }
  return text;
}

void Reporter::Interim(Report report) { WriteFile(Number(std::move(report), false)); }

void Reporter::Final(Report report) {
  report = Number(std::move(report), true);
  WriteFile(report);
  if (output_.text) {
    std::cout << report.Text() << std::flush;
  } else if (output_.file.empty()) {
    std::cout << report.Json() << std::flush;
  }
}

Report Reporter::Number(Report report, bool final) {
  report.Add("report", ++sequence_);
  report.Add("final", final);
  report.Add("pid", static_cast<uint64_t>(getpid()));
  report.Add("at_ns", NowNs());
  return report;
}

void Reporter::WriteFile(const Report& report) const {
  if (output_.file.empty()) return;
  const std::string part = output_.file + ".part";
  {
    std::ofstream file(part, std::ios::trunc);
    file << report.Json();
    if (!file.flush()) Die("cannot write " + part);
  }
  if (std::rename(part.c_str(), output_.file.c_str()) != 0) DieErrno("rename " + part);
}

}  // namespace zcluster::traffic
