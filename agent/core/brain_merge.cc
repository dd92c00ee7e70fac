// SPDX-License-Identifier: Apache-2.0
// What the brain does with the flows of a master that gives way to another.
#include "agent/core/brain.h"
#include "agent/core/merge.h"

namespace zcluster::core {

void Brain::Merge() {
  state_.merging = Merging{.since = now_};
  Log("merges_flows", {{"into", state_.config.peer_name}});
}

bool Brain::Apply(const Merged&) {
  if (!state_.merging || state_.merging->done) return false;
  state_.merging->done = true;
  Log("flows_merged", {{"into", state_.config.peer_name},
                       {"took", absl::FormatDuration(now_ - state_.merging->since)}});
  return true;
}

bool Brain::DecideMerging() {
  if (!state_.merging || !MergeIsOver(state_, now_)) return false;
  if (!state_.merging->done) {
    Log("flows_not_merged", {{"into", state_.config.peer_name},
                             {"after", absl::FormatDuration(now_ - state_.merging->since)}});
  }
  state_.merging.reset();
  return true;
}

}  // namespace zcluster::core
