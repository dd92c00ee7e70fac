// SPDX-License-Identifier: Apache-2.0
#include "agent/core/readiness.h"

#include "absl/strings/str_cat.h"
#include "agent/core/names.h"

namespace zcluster::core {
namespace {

// 80311 as "80,311".
std::string Grouped(uint64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string Because(absl::string_view problem) {
  return problem.empty() ? "" : absl::StrCat(": ", problem);
}

Precondition Flows(const std::string& node, const ConntrackState& conntrack) {
  if (conntrack.synchronised) {
    return {true, absl::StrCat(node, " sees ", Grouped(conntrack.flows), " flows synchronised")};
  }
  return {false, absl::StrCat("the flows are not synchronised, as ", node, " sees it (",
                              Grouped(conntrack.flows), " so far)", Because(conntrack.problem))};
}

Precondition Files(const std::string& node, const RootState& root) {
  const std::string what = absl::StrCat(root.path, " (", Grouped(root.entries),
                                        root.entries == 1 ? " entry)" : " entries)");
  if (!root.problem.empty()) {
    return {false,
            absl::StrCat(what, " is not synchronised, as ", node, " sees it: ", root.problem)};
  }
  if (!root.Equal()) {
    return {false, absl::StrCat(what, " differs between the nodes, as ", node, " sees it")};
  }
  return {true, absl::StrCat(node, " sees ", what, " equal on both")};
}

// What `node` sees of flows and files.
void AddReplication(const Config& config, const std::string& node, const ConntrackState& conntrack,
                    const std::vector<RootState>& roots, std::vector<Precondition>& list) {
  if (config.replicate_conntrack) list.push_back(Flows(node, conntrack));
  if (!config.has_roots) return;
  if (roots.empty()) list.push_back({false, absl::StrCat(node, " has not scanned its files yet")});
  for (const RootState& root : roots) list.push_back(Files(node, root));
}

Precondition Link(const State& state) {
  const std::string& peer = state.config.peer_name;
  if (!state.peer.connected) {
    return {false, absl::StrCat(peer, " is unreachable: ", state.peer.problem)};
  }
  return {true, absl::StrCat("the link to ", peer, " lives")};
}

Precondition Roles(const State& state) {
  const Role own = state.role;
  const Role peer = state.peer.told ? state.peer.told->role : Role::kUnknown;
  const bool met = (own == Role::kMaster && peer == Role::kBackup) ||
                   (own == Role::kBackup && peer == Role::kMaster);
  const std::string seen = absl::StrCat(state.config.node_name, " is ", Name(own), ", ",
                                        state.config.peer_name, " is ", Name(peer));
  return {met, met ? seen : absl::StrCat(seen, "; one MASTER and one BACKUP are needed")};
}

std::vector<std::string> Unmet(const std::vector<Precondition>& list) {
  std::vector<std::string> reasons;
  for (const Precondition& precondition : list) {
    if (!precondition.met) reasons.push_back(precondition.evidence);
  }
  return reasons;
}

}  // namespace

std::vector<std::string> MissingHere(const State& state) {
  std::vector<Precondition> list;
  AddReplication(state.config, state.config.node_name, state.conntrack, state.roots, list);
  return Unmet(list);
}

std::vector<std::string> OwnReasons(const State& state) {
  if (state.role == Role::kMaster) return {};
  std::vector<std::string> reasons;
  const std::string& node = state.config.node_name;
  if (state.durable.maintenance) reasons.push_back(absl::StrCat(node, " is in maintenance"));
  if (!state.vrrp) {
    reasons.push_back(absl::StrCat(node, " has not heard from its keepalived yet"));
  } else if (*state.vrrp == VrrpState::kDown) {
    reasons.push_back(absl::StrCat("keepalived does not run on ", node));
  } else if (state.boot_gate.closed) {
    reasons.push_back(absl::StrCat(node, " has just started and does not take part yet"));
  } else if (*state.vrrp == VrrpState::kFault && !state.durable.maintenance) {
    reasons.push_back(absl::StrCat("keepalived on ", node, " is in FAULT"));
  }
  for (const auto& [component, problem] : state.problems) {
    reasons.push_back(absl::StrCat(component, " on ", node, ": ", problem));
  }
  for (std::string& missing : MissingHere(state)) reasons.push_back(std::move(missing));
  return reasons;
}

std::vector<Precondition> Preconditions(const State& state) {
  std::vector<Precondition> list = {Link(state)};
  const bool connected = state.peer.connected;
  if (connected) list.push_back(Roles(state));
  if (state.role != Role::kMaster) {
    for (std::string& reason : OwnReasons(state)) list.push_back({false, std::move(reason)});
  } else {
    AddReplication(state.config, state.config.node_name, state.conntrack, state.roots, list);
  }
  if (!connected || !state.peer.told) return list;
  // What the standby says of itself includes its own view of flows and files; of a master that view
  // is asked here.
  const NodeState& peer = *state.peer.told;
  if (peer.role == Role::kMaster) {
    AddReplication(state.config, state.config.peer_name, peer.conntrack, peer.roots, list);
  } else {
    for (const std::string& reason : peer.not_ready) list.push_back({false, reason});
  }
  return list;
}

std::vector<std::string> NotReady(const State& state) { return Unmet(Preconditions(state)); }

}  // namespace zcluster::core
