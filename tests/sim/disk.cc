// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/disk.h"

#include <algorithm>
#include <utility>

namespace zcluster::sim {

void Disk::Write(const core::Durable& durable, std::function<void()> done) {
  writing_.push_back({durable, std::move(done)});
  const absl::Duration takes = random_.Between(absl::Microseconds(200), absl::Milliseconds(20));
  free_at_ = std::max(free_at_, clock_.now()) + takes;
  clock_.At(free_at_, [this, life = life_] { EndOldest(life); });
}

void Disk::EndOldest(uint64_t life) {
  if (life != life_ || writing_.empty()) return;
  if (clock_.now() < free_at_ && writing_.size() == 1) {
    // A stall began while it was on its way.
    clock_.At(free_at_, [this, life] { EndOldest(life); });
    return;
  }
  Writing oldest = std::move(writing_.front());
  writing_.pop_front();
  content_ = oldest.durable;
  oldest.done();
}

void Disk::Stall(absl::Duration length) { free_at_ = std::max(free_at_, clock_.now() + length); }

void Disk::Crash() {
  for (const Writing& write : writing_) {
    if (random_.OneIn(2)) break;
    content_ = write.durable;
  }
  PowerCut();
}

void Disk::PowerCut() {
  writing_.clear();
  free_at_ = absl::InfinitePast();
  ++life_;
}

}  // namespace zcluster::sim
