// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/clock.h"

#include <algorithm>
#include <utility>

namespace zcluster::sim {

void Clock::AtNanoseconds(int64_t time, std::function<void()> run) {
  uint32_t slot = 0;
  if (free_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.push_back(std::move(run));
  } else {
    slot = free_.back();
    free_.pop_back();
    slots_[slot] = std::move(run);
  }
  heap_.push_back({std::max(time, nanoseconds_), order_++, slot});
  std::push_heap(heap_.begin(), heap_.end(), Later());
}

bool Clock::RunNext() {
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), Later());
  const Due due = heap_.back();
  heap_.pop_back();
  nanoseconds_ = due.at;
  now_ = absl::FromUnixNanos(due.at);
  const std::function<void()> run = std::exchange(slots_[due.slot], nullptr);
  free_.push_back(due.slot);
  run();
  return true;
}

namespace {

constexpr int64_t kMillion = 1'000'000;

// How far a clock is off after `passed`, both in nanoseconds; rounded down.
int64_t Off(int64_t passed, int drift) {
  const int64_t product = passed * drift;
  return product / kMillion - (product % kMillion < 0 ? 1 : 0);
}

}  // namespace

absl::Time MachineClock::now() const {
  if (drift_ == 0) return world_->now();
  const int64_t passed = world_->nanoseconds();
  return absl::FromUnixNanos(passed + Off(passed, drift_));
}

void MachineClock::At(absl::Time time, std::function<void()> run) {
  if (drift_ == 0) return world_->At(time, std::move(run));
  const int64_t here = absl::ToUnixNanos(time);
  int64_t passed = here - here * drift_ / (kMillion + drift_);
  // What is due must not run before its time, for rounding.
  while (passed + Off(passed, drift_) < here) ++passed;
  world_->AtNanoseconds(passed, std::move(run));
}

}  // namespace zcluster::sim
