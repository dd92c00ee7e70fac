// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/core/state.h"

// Which colour, and the sentence that says why? Pure.
namespace zcluster::core {

// This node, as it shows itself. The message is never empty.
NodeView LocalNode(const State& state);

// The peer: what it said of itself while it is connected, GREY while it is not.
NodeView RemoteNode(const State& state);

// What the agent's API shows.
View Show(const State& state);

// Brings `told`, what the peer is told, up to `state`; all but the wall clock. Is any of it news,
// apart from counters that move all the time? Those are worth a message a second, no more. `shown`
// is what Show() made of the same state: to judge the preconditions is most of a step's work, and
// is done once.
bool Describe(const State& state, const View& shown, NodeState& told);

// Do both show the same, but for such counters?
bool SameButCounters(const View& a, const View& b);

}  // namespace zcluster::core
