// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/unique_fd.h"
#include "ctl/ctl.h"
#include "tests/ctl/fake_agent.h"

// zctl in this process, without a terminal.
namespace zcluster::ctl {

constexpr int kOk = 0, kFailed = 1, kUsage = 2, kUnreachable = 3, kNotPermitted = 4, kConflict = 5,
              kUnconfirmed = 6, kDifferent = 7;

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

// With `input` on standard input.
inline Outcome Invoke(const std::vector<std::string>& words, const std::string& input = "") {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  // What tests write fits into a pipe.
  EXPECT_EQ(write(write_end.get(), input.data(), input.size()), static_cast<ssize_t>(input.size()));
  write_end.Reset();
  std::ostringstream out, err;
  const int code = Zctl(words, out, err, /*out_fd=*/-1, read_end.get());
  return {code, out.str(), err.str()};
}

class CtlTest : public testing::Test {
 protected:
  Outcome Ask(std::vector<std::string> words, const std::string& input = "") {
    words.insert(words.begin(), {"--socket", agent_.socket()});
    return Invoke(words, input);
  }
  void AddPair() {
    agent_.AddNode(true, v1::ROLE_MASTER, "10.0.0.1", "node1", v1::STATUS_GREEN,
                   "master since term 8");
    agent_.AddNode(false, v1::ROLE_BACKUP, "10.0.0.2", "node2", v1::STATUS_RED,
                   "peer \"x\" is away");
  }
  FakeAgent agent_;
};

}  // namespace zcluster::ctl
