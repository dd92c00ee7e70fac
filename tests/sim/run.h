// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "tests/sim/coverage.h"
#include "tests/sim/shrink.h"
#include "tests/sim/trace.h"

namespace zcluster::sim {

// Once everything is mended, a pair comes to rest within this: the longest hold of a fault, a
// failback after its pause, or after a hold because health had moved the master too often, a node
// brought back.
constexpr absl::Duration kSettleBound = absl::Minutes(12);
// And stays so; watched for this long.
constexpr absl::Duration kQuiet = absl::Seconds(20);

// What an operator asks of a pair at rest succeeds within this: hand-over by FAULT, and a new
// snapshot at most.
constexpr absl::Duration kRestBound = absl::Seconds(8);

struct Outcome {
  std::string broken;  // the invariant, as a sentence; empty if all held
  uint64_t steps = 0;  // of the brains
  uint64_t faults = 0;
  uint64_t picks = 0;  // what chance picked, and numbered: faults and questions, left out or not
  absl::Duration simulated;
};

// One seed: a pair that starts, a minute and more of faults, then none, until it is at rest. Ends
// at the first broken invariant. `trace` may be null. What is in `without` does not happen; the
// rest is what it was, as far as that depends on chance alone.
Outcome Run(uint64_t seed, Coverage& coverage, Trace* trace, const Without& without = {});

}  // namespace zcluster::sim
