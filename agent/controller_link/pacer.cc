// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/pacer.h"

#include <algorithm>

#include "agent/wire/wire.h"

namespace zcluster::controller_link {
namespace {

constexpr absl::Duration kLongestAfter = absl::Minutes(1);
// 100 ms doubled so often is more than kLongest.
constexpr int kMostDoublings = 12;

}  // namespace

void Pacer::Set(const v1::Pacing& asked) {
  if (asked.has_reconnect_after()) {
    after_ =
        std::clamp(wire::FromProto(asked.reconnect_after()), absl::ZeroDuration(), kLongestAfter);
  }
  if (asked.has_reconnect_before()) before_ = wire::FromProto(asked.reconnect_before());
  before_ = std::clamp(before_, std::max(after_, kShortest), kLongest);
}

absl::Duration Pacer::Next() {
  const absl::Duration upper = std::min(before_ * (1 << failures_), kLongest);
  failures_ = std::min(failures_ + 1, kMostDoublings);
  return after_ + (upper - after_) * absl::Uniform(random_, 0.0, 1.0);
}

}  // namespace zcluster::controller_link
