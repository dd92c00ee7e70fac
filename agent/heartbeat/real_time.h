// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "absl/status/status.h"

// Who sends and hears adverts must not wait behind whoever else wants the processor: with adverts
// of 10 ms a few busy programs are enough to make a standby take over from a master that lives.
//
// keepalived's own `vrrp_rt_priority` would do it too, but it sets RLIMIT_RTTIME with it, and a
// reload then kills the process now and then: so it is done from outside.
namespace zcluster::heartbeat {

// What comes with it goes before all that is ordinary; of two, the higher one before the lower.
inline constexpr int kKeepalivedPriority = 50;
// Below keepalived, which must be heard even by an agent that is busy.
inline constexpr int kAgentPriority = 20;

// Schedules process (or thread) `pid` in real time (SCHED_RR, 1 to 99) from now on; 0 is the
// calling thread. With `alone`, what it starts is ordinary again: threads, programs, scripts.
// Otherwise what it starts is as it is. Nothing happens if it is so already. An error names the
// remedy.
absl::Status RunInRealTime(pid_t pid, int priority, bool alone);

}  // namespace zcluster::heartbeat
