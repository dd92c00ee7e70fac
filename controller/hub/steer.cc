// SPDX-License-Identifier: Apache-2.0
// Which agent is asked when an operator steers a pair.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"
#include "common/strings.h"
#include "controller/hub/hub.h"

namespace zcluster::controller {
namespace {

std::string Ago(absl::Time heard) {
  if (heard == absl::InfinitePast()) return "not since the controller started";
  return absl::StrCat(absl::FormatDuration(absl::Trunc(Loop::Now() - heard, absl::Seconds(1))),
                      " ago");
}

}  // namespace

std::string Hub::LastHeard(const std::string& pair) const {
  absl::Time heard = absl::InfinitePast();
  for (const AgentRecord* record : ledger_.AgentsOf(pair)) {
    if (const AgentView* agent = fleet_.FindAgent(record->id))
      heard = std::max(heard, agent->heard);
  }
  return Ago(heard);
}

absl::StatusOr<AgentId> Hub::WhomToAsk(const std::string& pair) const {
  ZC_ASSIGN_OR_RETURN(const v1::PairSummary* summary, FindPair(pair));
  const v1::FleetNode* best = nullptr;
  for (const v1::FleetNode& node : summary->nodes()) {
    if (!node.connected()) continue;
    if (best == nullptr || node.name() == summary->master()) best = &node;
  }
  if (best != nullptr) return AgentId{pair, best->name()};
  return absl::UnavailableError(absl::StrCat("no agent of ", pair, " is connected: last heard ",
                                             LastHeard(pair),
                                             "; `zctl` on the node itself works without one"));
}

absl::StatusOr<AgentId> Hub::AgentOf(const std::string& pair, const std::string& node) const {
  ZC_ASSIGN_OR_RETURN(const v1::PairSummary* summary, FindPair(pair));
  const AgentId id{pair, node};
  const AgentView* agent = fleet_.FindAgent(id);
  if (agent == nullptr) {
    const std::string there = absl::StrJoin(
        summary->nodes(), ", ", [](std::string* out, const auto& one) { out->append(one.name()); });
    return absl::NotFoundError(
        absl::StrCat("no node '", Printable(node.substr(0, 63)), "' of ", pair,
                     " is enrolled; its nodes are: ", there.empty() ? "none" : there));
  }
  if (agent->connected) return id;
  return absl::UnavailableError(
      absl::StrCat("the agent of ", id.Name(), " is not connected: last heard ", Ago(agent->heard),
                   agent->away.empty() ? "" : absl::StrCat(" (", agent->away, ")"),
                   "; `zctl` on the node itself works without it"));
}

void Hub::Ask(const AgentId& agent, v1::FleetRequest request, Agents::Progress progress) {
  ++requests_;
  const auto watched = [this, alive = std::weak_ptr<char>(alive_),
                        progress = std::move(progress)](const v1::RequestProgress& said) {
    if (alive.expired()) return;
    if (said.has_end() && said.end().code() != 0) ++requests_failed_;
    progress(said);
  };
  if (agents_ != nullptr) return agents_->Ask(agent, std::move(request), watched);
  v1::RequestProgress end;
  end.mutable_end()->set_code(static_cast<int32_t>(absl::StatusCode::kUnavailable));
  end.mutable_end()->set_message("the controller is stopping");
  watched(end);
}

}  // namespace zcluster::controller
