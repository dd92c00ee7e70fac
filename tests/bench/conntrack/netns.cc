// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/conntrack/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::conntrack_bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

int64_t Read(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

}  // namespace

absl::Status Enter(const std::string& name) {
  const std::string path = absl::StrCat("/run/netns/", name);
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::setns(fd.get(), CLONE_NEWNET) != 0) return ErrnoStatus(path);
  return absl::OkStatus();
}

int64_t NowNs() { return Read(CLOCK_MONOTONIC); }

void SleepUntil(int64_t at_ns) {
  const timespec at{at_ns / kSecond, at_ns % kSecond};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

void SharpenSleep() { ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

double ThreadCpuSeconds() {
  return static_cast<double>(Read(CLOCK_THREAD_CPUTIME_ID)) / static_cast<double>(kSecond);
}

}  // namespace zcluster::conntrack_bench
