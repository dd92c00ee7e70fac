// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/real_time.h"

#include <sched.h>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::heartbeat {

absl::Status RunInRealTime(pid_t pid, int priority, bool alone) {
  const int policy = SCHED_RR | (alone ? SCHED_RESET_ON_FORK : 0);
  sched_param parameters = {};
  if (::sched_getscheduler(pid) == policy && ::sched_getparam(pid, &parameters) == 0 &&
      parameters.sched_priority == priority) {
    return absl::OkStatus();
  }
  parameters.sched_priority = priority;
  if (::sched_setscheduler(pid, policy, &parameters) == 0) return absl::OkStatus();
  return Annotate(ErrnoStatus("sched_setscheduler"),
                  "no real-time scheduling (it takes CAP_SYS_NICE, and a control group that has a "
                  "share of it)");
}

}  // namespace zcluster::heartbeat
