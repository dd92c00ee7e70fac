// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/core/state.h"

// Would a failover right now succeed? Answered at any moment, before it is needed, alike on either
// node. Pure.
namespace zcluster::core {

// Each thing that must be so, with what is known of it. While the link is down only what can be
// known is listed.
std::vector<Precondition> Preconditions(const State& state);

// The evidence of those of `list` that are not met.
std::vector<std::string> Unmet(const std::vector<Precondition>& list);

// The same of all preconditions; empty: it would succeed.
std::vector<std::string> NotReady(const State& state);

// What keeps this node itself from taking over, from what it sees itself; empty on a master. This,
// not NotReady, is told to the peer: two nodes that repeat each other's reasons would never be rid
// of them.
std::vector<std::string> OwnReasons(const State& state);

// What this node lacks of the master's state: flows or files, one sentence each.
std::vector<std::string> MissingHere(const State& state);

// Is that nothing?
bool HoldsAll(const State& state);

// Does the backup lack connections because its kernel's table is full?
bool IsFull(const ConntrackState& conntrack);

// On a master: which connections the standby lacks for that reason, in one sentence; or nothing. It
// lasts until somebody makes room.
std::string NoRoomThere(const State& state);

}  // namespace zcluster::core
