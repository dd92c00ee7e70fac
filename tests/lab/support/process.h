// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace zcluster::lab {

// How a command ended.
struct Outcome {
  int code = -1;  // its exit code, or 128 and the signal that ended it
  std::string out;
  std::string err;
};

// Runs a command (a path or a name in PATH, no shell) with `input` as its standard input, and
// waits.
Outcome RunCommand(const std::vector<std::string>& argv, const std::string& input = "");

// A command in the background, without input, its output thrown away. The destructor waits for its
// end, which the owner must have brought about.
class Background {
 public:
  explicit Background(const std::vector<std::string>& argv);
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() { Wait(); }

  // Waits for the end; the exit code as in Outcome. Harmless when called again.
  int Wait();

 private:
  pid_t pid_ = -1;
  int code_ = -1;
};

}  // namespace zcluster::lab
