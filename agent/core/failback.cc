// SPDX-License-Identifier: Apache-2.0
#include "agent/core/failback.h"

#include "agent/core/health.h"
#include "agent/core/readiness.h"

namespace zcluster::core {

bool MayFailBack(const State& state, absl::Time now) {
  const Config& config = state.config;
  if (config.failback != Failback::kPreferred || config.preferred != config.peer_name) return false;
  if (state.role != Role::kMaster || state.operation || !state.peer.connected) return false;
  if (now < state.peer.since + kFailbackHoldDown) return false;
  if (now < state.role_since + kFailbackHoldDown) return false;
  if (now < state.no_failback_before) return false;
  // It would not stay there.
  if (state.durable.freeze.active || MovesAreHeld(state, now)) return false;
  // Asked at each tick: what no sentence is needed for comes first.
  if (!state.peer.Says(Role::kBackup)) return false;
  return NotReady(state).empty();
}

}  // namespace zcluster::core
