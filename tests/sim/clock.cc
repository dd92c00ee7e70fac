// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/clock.h"

#include <algorithm>
#include <utility>

namespace zcluster::sim {

void Clock::At(absl::Time time, std::function<void()> run) {
  uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.push_back(std::move(run));
  } else {
    slot = free_.back();
    free_.pop_back();
    slots_[slot] = std::move(run);
  }
  heap_.push_back({absl::ToUnixNanos(std::max(time, now_)), order_++, slot});
  std::push_heap(heap_.begin(), heap_.end(), Later);
}

bool Clock::RunNext() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later);
  const Due due = heap_.back();
  heap_.pop_back();
  now_ = absl::FromUnixNanos(due.at);
  const std::function<void()> run = std::exchange(slots_[due.slot], nullptr);
  free_.push_back(due.slot);
  run();
  return true;
}

}  // namespace zcluster::sim
