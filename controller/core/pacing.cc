// SPDX-License-Identifier: Apache-2.0
#include "controller/core/pacing.h"

#include <algorithm>

#include "absl/time/time.h"

namespace zcluster::controller {
namespace {

// A small fleet need not wait; but never less, lest a stream that breaks at once be a loop.
constexpr absl::Duration kShortest = absl::Milliseconds(200);
// The time that a controller takes to be there again after a stop.
constexpr absl::Duration kRestart = absl::Seconds(1);
// A fleet's way back is spread over at least so long.
constexpr absl::Duration kSpread = absl::Seconds(1);
// What the protocol allows (proto Pacing).
constexpr absl::Duration kLongest = absl::Minutes(5);

void Set(absl::Duration value, google::protobuf::Duration& proto) {
  const int64_t ms = absl::ToInt64Milliseconds(value);
  proto.set_seconds(ms / 1000);
  proto.set_nanos(static_cast<int32_t>(ms % 1000) * 1'000'000);
}

v1::Pacing Make(absl::Duration after, size_t agents) {
  const absl::Duration spread =
      std::max(kSpread, absl::Seconds(1) * (static_cast<double>(agents) / kConnectsPerSecond));
  v1::Pacing pacing;
  Set(after, *pacing.mutable_reconnect_after());
  Set(std::min(after + spread, kLongest), *pacing.mutable_reconnect_before());
  return pacing;
}

}  // namespace

v1::Pacing PacingFor(size_t agents) { return Make(kShortest, agents); }

v1::Pacing PacingOfAStop(size_t agents) { return Make(kRestart, agents); }

}  // namespace zcluster::controller
