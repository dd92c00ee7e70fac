// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/random/random.h"
#include "absl/time/time.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller_link {

// How long to wait before the controller is dialed again: a random time between two bounds that the
// controller sets, of which the upper one doubles with each failure. So a fleet that lost its
// controller does not come back all at once. Not thread-safe.
class Pacer {
 public:
  // However often it failed.
  static constexpr absl::Duration kLongest = absl::Minutes(5);
  // Of the upper bound, whatever the controller asks for: a node never dials in a tight loop.
  static constexpr absl::Duration kShortest = absl::Milliseconds(100);

  // What the controller asks for. What is left out keeps its default (0.5 s to 5 s); what is out of
  // the proto's bounds is moved into them.
  void Set(const v1::Pacing& asked);
  // The next wait. Each call counts as one more failure.
  absl::Duration Next();
  // A stream came to be.
  void Reset() { failures_ = 0; }

 private:
  absl::Duration after_ = absl::Milliseconds(500);
  absl::Duration before_ = absl::Seconds(5);
  int failures_ = 0;
  absl::BitGen random_;
};

}  // namespace zcluster::controller_link
