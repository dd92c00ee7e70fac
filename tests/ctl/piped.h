// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "common/unique_fd.h"

namespace zcluster::ctl {

// zctl with standard output in a pipe.
class Piped {
 public:
  explicit Piped(std::vector<std::string> words) {
    words.insert(words.begin(), ZC_ZCTL);
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    out_.Reset(ends[0]);
    const UniqueFd write_end(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, ZC_ZCTL, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  std::string ReadTo(const std::string& text) {
    std::string seen;
    char c = 0;
    while (seen.find(text) == std::string::npos && read(out_.get(), &c, 1) == 1) seen += c;
    return seen;
  }
  void StopReading() { out_.Reset(); }
  int Ends(int signal = 0) {
    if (signal != 0) kill(pid_, signal);
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  UniqueFd out_;
  pid_t pid_ = -1;
};

}  // namespace zcluster::ctl
