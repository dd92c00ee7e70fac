// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "agent/core/state.h"

// May this node give up mastership, go out, come back? Pure; a refusal says what is missing and
// what to do.
namespace zcluster::core {

// Only a master can hand over, and only to a peer that is ready, unless `force`.
absl::Status MayHandOver(const State& state, bool force);

// A master hands over first (see MayHandOver). Another may go if its peer is known to serve, unless
// `force`: the last node that can serve is not taken out by mistake.
absl::Status MayGoOut(const State& state, bool force);

// Must a node wait for the peer's flows and files before it becomes eligible? Not where nobody has
// them.
bool MustSynchroniseFirst(const State& state);

}  // namespace zcluster::core
