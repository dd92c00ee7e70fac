// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace zcluster::test {

// The threads of this process that have that name.
inline std::set<pid_t> Threads(const std::string& name) {
  std::set<pid_t> threads;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::string comm;
    std::getline(std::ifstream(task.path() / "comm"), comm);
    if (comm == name) threads.insert(std::atoi(task.path().filename().c_str()));
  }
  return threads;
}

// How many of them run in real time.
inline int RealTimeThreads(const std::string& name) {
  int count = 0;
  for (const pid_t thread : Threads(name)) {
    if ((::sched_getscheduler(thread) & ~SCHED_RESET_ON_FORK) == SCHED_RR) ++count;
  }
  return count;
}

}  // namespace zcluster::test
