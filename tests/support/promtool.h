// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace zcluster::test {

// What `promtool ARGUMENTS` says, and how it ended; `input` is its standard input.
inline testing::AssertionResult PromtoolAccepts(const std::string& arguments,
                                                const std::string& input = "") {
  std::string path = testing::TempDir() + "/zc-promtool-XXXXXX";
  const int fd = ::mkstemp(path.data());
  if (fd < 0) return testing::AssertionFailure() << path << ": cannot be made";
  ::close(fd);
  std::ofstream(path) << input;
  const std::string command = absl::StrCat("promtool ", arguments, " <", path, " 2>&1");
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string said;
  char buffer[4096];
  for (size_t n = 0; pipe != nullptr && (n = ::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    said.append(buffer, n);
  const int status = pipe == nullptr ? -1 : ::pclose(pipe);
  ::unlink(path.c_str());
  if (status == 0) return testing::AssertionSuccess() << said;
  return testing::AssertionFailure() << command << ": " << said << "\n" << input;
}

}  // namespace zcluster::test
