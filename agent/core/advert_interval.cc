// SPDX-License-Identifier: Apache-2.0
#include "agent/core/advert_interval.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace zcluster::core {

absl::StatusOr<AdvertInterval> AdvertInterval::From(absl::Duration interval) {
  constexpr absl::Duration kStep = absl::Milliseconds(10);
  constexpr int kLongest = 4095;  // steps: 12 bits
  absl::Duration rest;
  const int64_t steps = absl::IDivDuration(interval, kStep, &rest);
  if (rest != absl::ZeroDuration() || steps < 1 || steps > kLongest) {
    return absl::OutOfRangeError(
        absl::StrCat(absl::FormatDuration(interval),
                     " cannot be carried by VRRPv3; use 10ms to 40.95s, in steps of 10ms"));
  }
  return AdvertInterval(interval);
}

}  // namespace zcluster::core
