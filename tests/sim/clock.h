// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"

namespace zcluster::sim {

// How fast or slow a machine's clock may run, in parts per million. Crystals, and the kernel that
// disciplines them, stay within 500; whoever slews a clock that has much to make up for may do so
// by 10 % (adjtimex(2): the tick), and slews the monotonic one with it.
constexpr int kCommonDrift = 500;
constexpr int kMostDrift = 100'000;

// What a machine takes for `length` lasts at most this in truth, and at least that.
inline absl::Duration Longest(absl::Duration length) {
  return length * 1'000'000 / (1'000'000 - kMostDrift);
}
inline absl::Duration Shortest(absl::Duration length) {
  return length * 1'000'000 / (1'000'000 + kMostDrift);
}

// Virtual time: what is due runs in order of its time, and of scheduling where times are equal.
// Nothing waits.
class Clock {
 public:
  absl::Time now() const { return now_; }
  // The same, since kBegin.
  int64_t nanoseconds() const { return nanoseconds_; }

  void After(absl::Duration delay, std::function<void()> run) { At(now_ + delay, std::move(run)); }
  // A time that has passed counts as now.
  void At(absl::Time time, std::function<void()> run) {
    AtNanoseconds(absl::ToUnixNanos(time), std::move(run));
  }
  void AtNanoseconds(int64_t time, std::function<void()> run);

  // Runs the next thing due. False if there is none.
  bool RunNext();

  static constexpr absl::Time kBegin = absl::UnixEpoch();  // when all clocks agreed

 private:
  struct Due {
    int64_t at;  // nanoseconds since kBegin: a heap of plain integers is half the run time
    uint64_t order;
    uint32_t slot;
  };
  struct Later {  // inline and without a branch: which comes first no processor can guess
    bool operator()(const Due& a, const Due& b) const {
      return static_cast<int>(a.at > b.at) |
             (static_cast<int>(a.at == b.at) & static_cast<int>(a.order > b.order));
    }
  };

  absl::Time now_ = kBegin;
  int64_t nanoseconds_ = 0;
  uint64_t order_ = 0;
  std::vector<Due> heap_;
  std::vector<std::function<void()>> slots_;
  std::vector<uint32_t> free_;
};

// Time as one machine has it: its loops and timers go by a clock that runs fast or slow. Begins
// with the true one.
class MachineClock {
 public:
  // `drift`: how much faster it runs, in parts per million; at most kMostDrift either way.
  // Implicit: true time is a clock, too.
  MachineClock(Clock& world, int drift = 0) : world_(&world), drift_(drift) {}

  absl::Time now() const;
  void After(absl::Duration delay, std::function<void()> run) { At(now() + delay, std::move(run)); }
  // A time that has passed counts as now.
  void At(absl::Time time, std::function<void()> run);

 private:
  Clock* world_;
  int drift_;
};

}  // namespace zcluster::sim
