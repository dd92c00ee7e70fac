// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "absl/time/time.h"
#include "common/check.h"

namespace zcluster {

// How often something may happen: so many times a second on average, and so many at once after a
// pause (a token bucket, full at first). Pure: the clock is handed in, and one that goes back
// counts as standing still. Plain value; not thread-safe.
class Rate {
 public:
  // Both greater than 0.
  Rate(double per_second, double burst) : per_second_(per_second), burst_(burst), left_(burst) {
    ZC_CHECK(per_second > 0 && burst > 0);
  }

  // Whether `n` may happen now; if so, they count. More than the burst may happen when all of it is
  // there, and are paid for by a longer pause.
  bool Take(absl::Time now, double n = 1) {
    Refill(now);
    if (left_ < std::min(n, burst_)) return false;
    left_ -= n;
    return true;
  }

  // How long until Take(n) would succeed; zero: now.
  absl::Duration Until(absl::Time now, double n = 1) const {
    const double lacking = std::min(n, burst_) - LeftAt(now);
    // A nanosecond more than the division says: it may have rounded down.
    return lacking <= 0 ? absl::ZeroDuration()
                        : absl::Seconds(lacking / per_second_) + absl::Nanoseconds(1);
  }

 private:
  double LeftAt(absl::Time now) const {
    const double gained = std::max(0.0, absl::ToDoubleSeconds(now - since_)) * per_second_;
    return std::min(burst_, left_ + gained);
  }
  void Refill(absl::Time now) {
    left_ = LeftAt(now);
    since_ = std::max(since_, now);
  }

  double per_second_;
  double burst_;
  double left_;
  absl::Time since_ = absl::InfinitePast();  // nothing was taken yet: it is full
};

}  // namespace zcluster
