// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

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

// Threads that others began (gRPC's, of which any may run a callback), in real time as long as what
// goes through them is urgent. Any thread.
class UrgentThreads {
 public:
  explicit UrgentThreads(int priority) : priority_(priority) {}
  ~UrgentThreads() { Rest(); }

  // The calling thread is one of them from now on. Free if it is already. Where the system refuses,
  // it stays ordinary; that is logged once.
  void Join() ABSL_LOCKS_EXCLUDED(mutex_);
  // All that joined are ordinary again. Free if none has.
  void Rest() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const int priority_;
  std::atomic<uint64_t> round_{0};  // a number of its own from the first Join() to Rest(); else 0
  absl::Mutex mutex_;
  std::vector<pid_t> threads_ ABSL_GUARDED_BY(mutex_);
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace zcluster
