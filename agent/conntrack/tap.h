// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "agent/conntrack/flow.h"

namespace zcluster::conntrack {

// How often what was seen is shown.
inline constexpr absl::Duration kShowEvery = absl::Milliseconds(200);

// At most so many a second. What is left unused is good for kShowEvery, so no message has more than
// its share. One thread.
class Allowance {
 public:
  explicit Allowance(uint32_t per_second = 0) { SetRate(per_second); }

  // Begins full, should it be another rate than before.
  void SetRate(uint32_t per_second);
  uint32_t rate() const { return rate_; }
  // How many of `wanted` may be had at `now`, which never falls; they are spent.
  size_t Take(size_t wanted, absl::Time now);

 private:
  double Most() const;

  uint32_t rate_ = 0;
  double left_ = 0;
  absl::Time filled_ = absl::InfinitePast();
};

// A look at what is captured, which never holds capture up: what exceeds the rate is only counted,
// and so is what comes while the one who looks is slow.
class Tap {
 public:
  // Changes that wait to be taken; what comes beyond is counted as skipped.
  static constexpr size_t kMaxWaiting = 1000;

  // A change, and the wall clock when it was captured.
  struct Seen {
    absl::Time at;
    Flow flow;
  };

  // Changes of this node's kernel, in their order. While nobody looks it is one relaxed load. The
  // capture thread; `now` is the loop's clock.
  void Offer(absl::Span<const Flow> changes, absl::Time now) {
    const uint32_t rate = rate_.load(std::memory_order_relaxed);
    if (rate != 0) Keep(changes, now, rate);
  }

  // Keeps so many changes a second from now on; 0: nobody looks. Any thread.
  void SetRate(uint32_t per_second) ABSL_LOCKS_EXCLUDED(mutex_);
  // Moves what was kept since the last time into `seen`, which is cleared first, and returns how
  // many changes were not kept. Any thread.
  uint64_t Take(std::vector<Seen>& seen) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Keep(absl::Span<const Flow> changes, absl::Time now, uint32_t rate)
      ABSL_LOCKS_EXCLUDED(mutex_);

  std::atomic<uint32_t> rate_{0};
  std::atomic<uint64_t> skipped_{0};
  Allowance allowance_;  // the capture thread's own

  absl::Mutex mutex_;
  std::vector<Seen> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zcluster::conntrack
