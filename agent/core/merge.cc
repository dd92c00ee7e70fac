// SPDX-License-Identifier: Apache-2.0
#include "agent/core/merge.h"

#include "agent/core/roles.h"

namespace zcluster::core {

bool MergesFirst(const State& state, absl::Time now) {
  return state.merging && !state.merging->done && now < state.merging->since + kMergeBeforeYielding;
}

bool MayOweFlows(const State& state, Role to) {
  if (!state.config.replicate_conntrack || state.operation || state.merging) return false;
  return to == Role::kBackup || !state.conntrack.synchronised;
}

bool MergeIsOver(const State& state, absl::Time now) {
  // A master goes on telling what changes until it yields, unless the peer has given way meanwhile.
  if (state.role == Role::kMaster) return !LosesToPeer(state);
  return state.merging->done || now >= state.merging->since + kMergeAtMost;
}

}  // namespace zcluster::core
