// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/time/time.h"
#include "agent/core/state.h"

namespace zcluster::core {

// How long the preferred node must have been back, and this one master, before mastership moves:
// damps flapping.
constexpr absl::Duration kFailbackHoldDown = absl::Seconds(10);
// The pause after a failback that did not succeed.
constexpr absl::Duration kFailbackPause = absl::Seconds(60);

// May the preferred node, healthy again, take mastership back from this one, which serves well?
// Only under PREFERRED, only when nothing would be lost by it, not within the hold-down. Asked on
// the master: it is the one that hands over. Pure.
bool MayFailBack(const State& state, absl::Time now);

}  // namespace zcluster::core
