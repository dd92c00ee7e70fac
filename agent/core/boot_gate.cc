// SPDX-License-Identifier: Apache-2.0
#include "agent/core/boot_gate.h"

#include "agent/core/readiness.h"

namespace zcluster::core {
namespace {

// When both boot at once, one goes first: two that begin together would both be master for a
// moment. It is the one that served last, for it holds what the other may lack.
bool GoesFirst(const State& state) {
  const Config& config = state.config;
  const Term own = state.durable.own_term;
  const Term peers = state.peer.told->own_term;
  if (own != peers) return own > peers;
  if (!config.preferred.empty()) return config.preferred == config.node_name;
  return config.node_name < config.peer_name;
}

}  // namespace

bool MayLeaveBootGate(const State& state, absl::Time now) {
  if (now >= state.boot_gate.opens_at) return true;
  if (!state.peer.connected || !state.peer.told) return false;
  switch (state.peer.told->role) {
    case Role::kMaster:
      return MissingHere(state).empty();
    case Role::kFault:
      return GoesFirst(state);  // it waits as we do, or cannot serve
    case Role::kBackup:
    case Role::kMaintenance:
    case Role::kUnconfigured:
      return true;  // nobody else will serve
    case Role::kUnknown:
      return false;
  }
  return false;
}

}  // namespace zcluster::core
