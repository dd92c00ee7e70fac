// SPDX-License-Identifier: Apache-2.0
#include "agent/core/evidence.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/core/facts.h"
#include "agent/core/names.h"
#include "agent/core/readiness.h"
#include "agent/core/roles.h"

namespace zcluster::core {

absl::string_view CauseOfPromotion(const State& state) {
  if (!state.peer.connected) return "peer_unreachable";
  return state.peer.Says(Role::kMaster) ? "adverts_stopped" : "peer_stood_aside";
}

std::string CauseOfRole(const State& state) {
  std::string cause = FaultReason(state);
  if (!cause.empty() || !state.vrrp) return cause;
  return absl::StrCat("keepalived says ", Name(*state.vrrp));
}

Fields EvidenceOfPromotion(const State& state, absl::Time now) {
  const Peer& peer = state.peer;
  Fields fields;
  if (peer.told && peer.told->own_term >= state.durable.highest_term) {
    fields.emplace_back("from", state.config.peer_name);
  }
  fields.emplace_back("peer", !peer.connected ? absl::StrCat("not seen: ", peer.problem)
                              : !peer.told    ? "has not said how it is"
                                              : std::string(Name(peer.told->role)));
  if (peer.heard != absl::InfinitePast()) {
    fields.emplace_back(
        "peer_heard", absl::FormatDuration(absl::Trunc(now - peer.heard, absl::Microseconds(100))));
  }
  if (state.config.replicate_conntrack) {
    fields.emplace_back("flows_held", absl::StrCat(state.conntrack.flows));
  }
  if (peer.told) {
    for (const Fact& fact : peer.told->facts) {
      if (fact.name == fact::kLocal) fields.emplace_back("ended_on_peer", fact.value);
    }
  }
  const std::vector<std::string> missing = MissingHere(state);
  if (!missing.empty()) fields.emplace_back("missing", absl::StrJoin(missing, "; "));
  return fields;
}

}  // namespace zcluster::core
