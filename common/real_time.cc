// SPDX-License-Identifier: Apache-2.0
#include "common/real_time.h"

#include <sched.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster {

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

void Urgency::Set(bool urgent) {
  if (urgent == urgent_ || refused_) return;
  urgent_ = urgent;
  absl::Status done;
  const sched_param ordinary = {};
  if (urgent) {
    done = RunInRealTime(0, priority_, /*alone=*/true);
  } else if (::sched_setscheduler(0, SCHED_OTHER, &ordinary) != 0) {
    done = ErrnoStatus("sched_setscheduler");
  }
  if (done.ok()) return;
  refused_ = true;
  log::Warning("thread_without_real_time", {{"problem", std::string(done.message())}});
}

}  // namespace zcluster
