// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "absl/status/status.h"

// What must not wait behind whoever else wants the processor. Of two, the higher one goes before
// the lower, and any before all that is ordinary.
//
// With adverts of 10 ms a few busy programs are enough to make a standby take over from a master
// that lives. keepalived's own `vrrp_rt_priority` would do, too, but it sets RLIMIT_RTTIME with it,
// and a reload then kills the process now and then: so it is done from outside.
namespace zcluster {

inline constexpr int kKeepalivedPriority = 50;
// Below keepalived, which must be heard even by an agent that is busy.
inline constexpr int kAgentPriority = 20;
// Below the loop, which must decide even while flows pour in.
inline constexpr int kReplicationPriority = 10;

// Schedules process (or thread) `pid` in real time (SCHED_RR, 1 to 99) from now on; 0 is the
// calling thread. With `alone`, what it starts is ordinary again: threads, programs, scripts.
// Otherwise what it starts is as it is. Nothing happens if it is so already. An error names the
// remedy.
absl::Status RunInRealTime(pid_t pid, int priority, bool alone);

// The calling thread, in real time as long as it is urgent. One thread, and that thread only.
class Urgency {
 public:
  explicit Urgency(int priority) : priority_(priority) {}
  // Free if it is so already. Where the system refuses, the thread stays ordinary; that is logged
  // once.
  void Set(bool urgent);

 private:
  const int priority_;
  bool urgent_ = false;
  bool refused_ = false;
};

}  // namespace zcluster
