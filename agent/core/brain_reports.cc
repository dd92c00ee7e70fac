// SPDX-License-Identifier: Apache-2.0
// What the brain keeps of the parts' reports, and which of them are worth an event.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "agent/core/brain.h"
#include "agent/core/facts.h"
#include "agent/core/names.h"
#include "agent/core/readiness.h"

namespace zcluster::core {

bool Brain::Apply(const ComponentReported& event) {
  if (event.problem.empty()) {
    if (state_.problems.erase(event.component) == 0) return false;
    Log("problem_ended", {{"component", event.component}});
    return true;
  }
  // Once, however often its words change.
  if (state_.problems.find(event.component) == state_.problems.end()) {
    Log("problem", {{"component", event.component}, {"problem", event.problem}}, /*warning=*/true);
  }
  std::string& known = state_.problems[event.component];
  if (known == event.problem) return false;
  known = event.problem;
  return true;
}

bool Brain::Apply(const ConntrackReported& event) {
  if (event.state.synchronised != state_.conntrack.synchronised) {
    Log(event.state.synchronised ? "flows_synchronised" : "flows_not_synchronised",
        {{"flows", absl::StrCat(event.state.flows)}, {"cause", event.state.problem}});
  }
  if (event.state.differs != state_.conntrack.differs) {
    Log(event.state.differs ? "flows_differ" : "flows_equal_again",
        {{"flows", absl::StrCat(event.state.flows)},
         {"refused", absl::StrCat(event.state.refused)}},
        /*warning=*/event.state.differs);
  }
  if (IsFull(event.state) != IsFull(state_.conntrack)) {
    Log(IsFull(event.state) ? "flows_have_no_room" : "flows_have_room_again",
        {{"missing", absl::StrCat(event.state.missing)},
         {"entries", absl::StrCat(event.state.table_entries)},
         {"maximum", absl::StrCat(event.state.table_maximum)}},
        /*warning=*/IsFull(event.state));
  }
  if (state_.conntrack == event.state) return false;
  state_.conntrack = event.state;
  return true;
}

bool Brain::Apply(const NetworkSeen& event) {
  Log("network_seen", {{"what", std::string(Name(event.what))},
                       {"after", absl::FormatDuration(event.after)},
                       {"term", absl::StrCat(state_.durable.own_term.value)}});
  return false;
}

bool Brain::Apply(const FactsReported& event) {
  const std::string known = StrangerIn(state_.facts);
  if (state_.facts == event.facts) return false;
  state_.facts = event.facts;
  if (const std::string stranger = StrangerIn(state_.facts); stranger != known) {
    Log(stranger.empty() ? "router_id_is_ours" : "router_id_in_use",
        {{"evidence", stranger.empty() ? "no other router uses it any more" : stranger}},
        /*warning=*/!stranger.empty());
  }
  return true;
}

}  // namespace zcluster::core
