// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "ctl/output/json.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/cluster.pb.h"

// What happened on both nodes of a pair, as their journals have it.
namespace zcluster::ctl {

// How far a node's clock is ahead of the asked node's: so much, more or less.
struct ClockAhead {
  absl::Duration ahead;
  absl::Duration uncertainty;
};

// One node's events, oldest first.
struct NodeJournal {
  std::string node;
  bool local = false;                // of the node that was asked
  absl::optional<ClockAhead> clock;  // of the other one, once it was asked
  std::string problem;               // why its events are missing; empty: they are not
  std::vector<v1::Event> events;
  std::string id;     // of the journal that `last` is of
  uint64_t last = 0;  // the newest that was seen

  // When `event` happened by the asked node's clock.
  absl::Time At(const v1::Event& event) const;
};

// An event, and whose it is.
struct Happening {
  const NodeJournal* journal;
  const v1::Event* event;
  absl::Time At() const { return journal->At(*event); }
};

// Reads the newest events of both nodes, at most `limit` of each, and none from before `since`.
// Fails if the asked node cannot tell its own; the other one's `problem` says why they are missing.
absl::StatusOr<std::vector<NodeJournal>> ReadJournals(Context& context, absl::Time since,
                                                      size_t limit);

// Replaces the events of `journal` by those that came since, at most a page. Of a journal that is
// another one by now: from its first on; of one that could not be asked until now: the newest.
// Takes the clock's reading if it is surer than the one before.
grpc::Status ReadOn(const Channel& channel, NodeJournal& journal);

// In the order in which they happened by the asked node's clock; of one node always in its own.
// `journals` must outlive it. Pure.
std::vector<Happening> Merge(const std::vector<NodeJournal>& journals);

// {"node", "clock_ahead_ms", "clock_uncertainty_ms", "problem"} of each.
Json JournalsJson(const std::vector<NodeJournal>& journals);
// "clock 1.2ms ahead, +-0.3ms", or that it is not known.
std::string ClockText(const NodeJournal& journal);

}  // namespace zcluster::ctl
