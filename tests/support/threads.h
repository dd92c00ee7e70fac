// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace zcluster::test {

// How many threads of this process have that name and run in real time.
inline int RealTimeThreads(const std::string& name) {
  int count = 0;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::string comm;
    std::getline(std::ifstream(task.path() / "comm"), comm);
    const pid_t thread = std::atoi(task.path().filename().c_str());
    if (comm == name && (::sched_getscheduler(thread) & ~SCHED_RESET_ON_FORK) == SCHED_RR) ++count;
  }
  return count;
}

}  // namespace zcluster::test
