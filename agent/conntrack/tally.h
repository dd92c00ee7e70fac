// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/conntrack/jobs.h"
#include "agent/conntrack/mailbox.h"
#include "agent/conntrack/scope.h"
#include "agent/core/types.h"
#include "common/loop.h"

namespace zcluster::conntrack {

// Counts this node's connections by class from time to time, for monitoring. Loop thread; the work
// is a job's.
class Tally {
 public:
  // `alone` is Pairing::alone.
  Tally(Loop& loop, std::shared_ptr<Mailbox> mail, std::function<absl::StatusOr<Scope>()> alone)
      : loop_(loop), mail_(std::move(mail)), alone_(std::move(alone)), jobs_(1) {}

  // Counts after each `every`, in the network namespace of the calling thread; on a node with so
  // many connections that this were more than a hundredth of the time, less often. Not at once: an
  // agent that has just begun has a snapshot to take or to give.
  void Start(absl::Duration every);
  // For good.
  void Stop();

  // As counted last.
  const core::FlowClasses& classes() const { return classes_; }

 private:
  void Count();

  Loop& loop_;
  const std::shared_ptr<Mailbox> mail_;
  const std::function<absl::StatusOr<Scope>()> alone_;
  core::FlowClasses classes_;
  absl::Time not_before_ = absl::InfinitePast();
  Loop::Registration tick_;
  Jobs jobs_;
};

}  // namespace zcluster::conntrack
