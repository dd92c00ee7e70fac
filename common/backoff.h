// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "absl/random/random.h"
#include "absl/time/time.h"

namespace zcluster {

// How long to wait before the next try: doubles from `first` to `longest`, each with a random part
// of up to a half taken off, so that many who lost the same peer do not return at once. Not
// thread-safe.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration longest) : first_(first), longest_(longest) {}

  absl::Duration Next() {
    next_ = next_ == absl::ZeroDuration() ? first_ : std::min(2 * next_, longest_);
    return next_ * absl::Uniform(random_, 0.5, 1.0);
  }
  // A try succeeded.
  void Reset() { next_ = absl::ZeroDuration(); }

 private:
  absl::Duration first_;
  absl::Duration longest_;
  absl::Duration next_ = absl::ZeroDuration();
  absl::BitGen random_;
};

}  // namespace zcluster
