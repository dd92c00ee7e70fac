// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace zcluster::core {

// How often the master says that it lives: 10 ms to 40.95 s, in steps of 10 ms. VRRPv3 carries it
// in 12 bits of centiseconds (RFC 5798, 5.2.7). The shorter, the sooner a failover, and the
// likelier a false one on a busy wire. Immutable; safe to use from any thread.
class AdvertInterval {
 public:
  // OUT_OF_RANGE if VRRPv3 cannot carry `interval`; the message says what it can.
  static absl::StatusOr<AdvertInterval> From(absl::Duration interval);

  absl::Duration duration() const { return interval_; }

 private:
  explicit AdvertInterval(absl::Duration interval) : interval_(interval) {}
  absl::Duration interval_;
};

}  // namespace zcluster::core
