// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/unique_fd.h"

namespace zcluster {

// A network namespace without a name: it goes when nobody uses it any more, however the test ends.
// Needs root.
class Netns {
 public:
  Netns() {
    std::thread([this] {
      if (::unshare(CLONE_NEWNET) != 0) return;
      fd_.Reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }).join();
    if (!fd_) ADD_FAILURE() << "cannot make a network namespace; are we root?";
  }

  // Makes the calling thread, and those that it starts, live inside.
  void Enter() const { ASSERT_EQ(::setns(fd_.get(), CLONE_NEWNET), 0); }

  // Runs `task` on a thread inside, to its end.
  void Run(const std::function<void()>& task) const {
    std::thread([&] {
      Enter();
      task();
    }).join();
  }

  // Runs a shell command inside.
  void Shell(const std::string& command) const {
    Run([&] { EXPECT_EQ(std::system(command.c_str()), 0) << command; });
  }

  // What `ip link … netns` takes for it.
  std::string Path() const { return absl::StrCat("/proc/", ::getpid(), "/fd/", fd_.get()); }

 private:
  UniqueFd fd_;
};

}  // namespace zcluster
