// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/time/time.h"
#include "agent/core/state.h"

// Two have been master beside each other and one gives way: connections that clients opened there
// live on if the other has their flows. Pure.
namespace zcluster::core {

// A master that gives way by itself waits so long for it: two masters are worse than some
// connections, and what is not over by then goes on afterwards.
constexpr absl::Duration kMergeBeforeYielding = absl::Seconds(1);
// After that the node stands by, whatever is missing: it must be of use to the one that serves.
constexpr absl::Duration kMergeAtMost = absl::Seconds(5);

// This node must yield: does it wait for its flows to be with the peer?
bool MergesFirst(const State& state, absl::Time now);

// A master is being demoted, to be `to` from now on: may the peer lack flows that were made here?
// Always if VRRP has heard another master: a link that was cut with it may not know that yet. By an
// operation it is not, for that has asked for all that could be had.
bool MayOweFlows(const State& state, Role to);

// Does what was begun need no more time?
bool MergeIsOver(const State& state, absl::Time now);

}  // namespace zcluster::core
