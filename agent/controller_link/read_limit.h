// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace zcluster::controller_link {

// How fast the controller is listened to: so many messages a second on average, and more of them in
// a burst. What it sends faster waits in the network, and so does the controller. Not thread-safe;
// `now` never falls.
class ReadLimit {
 public:
  static constexpr double kPerSecond = 100;
  static constexpr double kBurst = 1000;

  // A message was read. Returns how long to wait before the next one is.
  absl::Duration Take(absl::Time now) {
    if (last_ > absl::InfinitePast()) {
      left_ = std::min(kBurst, left_ + absl::ToDoubleSeconds(now - last_) * kPerSecond);
    }
    last_ = now;
    left_ -= 1;
    return left_ >= 0 ? absl::ZeroDuration() : absl::Seconds(-left_ / kPerSecond);
  }

 private:
  double left_ = kBurst;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace zcluster::controller_link
