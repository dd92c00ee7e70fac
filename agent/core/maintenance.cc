// SPDX-License-Identifier: Apache-2.0
#include "agent/core/maintenance.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/core/names.h"
#include "agent/core/readiness.h"

namespace zcluster::core {

absl::Status MayHandOver(const State& state, bool force) {
  const Config& config = state.config;
  if (state.role != Role::kMaster) {
    return absl::FailedPreconditionError(
        absl::StrCat(config.node_name, " is not master, but ", Name(state.role)));
  }
  if (force) return absl::OkStatus();
  const std::vector<std::string> reasons = NotReady(state);
  if (reasons.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(config.peer_name, " is not ready: ", absl::StrJoin(reasons, "; "),
                   ". Try again when it is, or --force and risk losing what is missing"));
}

absl::Status MayGoOut(const State& state, bool force) {
  if (state.role == Role::kMaster) return MayHandOver(state, force);
  if (force || state.peer.Says(Role::kMaster)) return absl::OkStatus();
  const Config& config = state.config;
  const std::string why =
      !state.peer.connected
          ? absl::StrCat(config.peer_name, " is unreachable: ", state.peer.problem)
      : !state.peer.told ? absl::StrCat(config.peer_name, " has not said yet how it is")
                         : absl::StrCat(config.peer_name, " is ", Name(state.peer.told->role));
  return absl::FailedPreconditionError(
      absl::StrCat("nobody else is known to serve: ", why,
                   ". Try again when it is MASTER, or --force and risk that nobody serves"));
}

bool MustSynchroniseFirst(const State& state) {
  return state.peer.Says(Role::kMaster) && !HoldsAll(state);
}

}  // namespace zcluster::core
