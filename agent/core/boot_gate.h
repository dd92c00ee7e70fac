// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/time/time.h"
#include "agent/core/state.h"

// May a node that has just booted take part in the election? Not before it knows whether its peer
// serves, and holds what the peer holds: else it would take over with nothing, for the peer's
// adverts may reach it later than its patience lasts. But no longer than a bound: a node that is
// alone must serve with what it has. Pure.
namespace zcluster::core {

constexpr absl::Duration kBootGate = absl::Seconds(15);

bool MayLeaveBootGate(const State& state, absl::Time now);

}  // namespace zcluster::core
