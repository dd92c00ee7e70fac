// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"

namespace zcluster::sim {

// Virtual time: what is due runs in order of its time, and of scheduling where times are equal.
// Nothing waits.
class Clock {
 public:
  absl::Time now() const { return now_; }

  void After(absl::Duration delay, std::function<void()> run) { At(now_ + delay, std::move(run)); }
  // A time that has passed counts as now.
  void At(absl::Time time, std::function<void()> run);

  // Runs the next thing due. False if there is none.
  bool RunNext();

 private:
  struct Due {
    int64_t at;  // nanoseconds: a heap of plain integers is half the run time
    uint64_t order;
    uint32_t slot;
  };
  static bool Later(const Due& a, const Due& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  absl::Time now_ = absl::UnixEpoch() + absl::Hours(1);
  uint64_t order_ = 0;
  std::vector<Due> heap_;
  std::vector<std::function<void()>> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace zcluster::sim
