// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>

#include "agent/core/types.h"
#include "tests/sim/clock.h"
#include "tests/sim/random.h"

namespace zcluster::sim {

// A node's disk: writes end in order, each after a while, and a crash may lose those that have not
// ended.
class Disk {
 public:
  Disk(Clock& clock, Random& random) : clock_(clock), random_(random) {}

  const core::Durable& content() const { return content_; }
  bool busy() const { return !writing_.empty(); }

  // What an earlier life left; before the first agent starts.
  void LeaveBehind(const core::Durable& durable) { content_ = durable; }
  // `done` runs when `durable` is safe, unless the agent dies before.
  void Write(const core::Durable& durable, std::function<void()> done);
  // No write ends before `length` has passed.
  void Stall(absl::Duration length);
  // The agent died: what was being written may have come to the disk, or not.
  void Crash();
  // The power failed: what was being written is lost.
  void PowerCut();

 private:
  struct Writing {
    core::Durable durable;
    std::function<void()> done;
  };
  void EndOldest(uint64_t life);

  Clock& clock_;
  Random& random_;
  core::Durable content_;
  std::deque<Writing> writing_;
  absl::Time free_at_ = absl::InfinitePast();
  uint64_t life_ = 0;  // a write that outlived its agent tells nobody
};

}  // namespace zcluster::sim
