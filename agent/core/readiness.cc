// SPDX-License-Identifier: Apache-2.0
#include "agent/core/readiness.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/core/facts.h"
#include "agent/core/health.h"
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

bool Holds(const ConntrackState& conntrack) {
  return conntrack.synchronised && !conntrack.differs && conntrack.missing == 0;
}

bool Holds(const RootState& root) { return root.problem.empty() && root.Equal(); }

// Why `standby` does not hold what it was sent.
std::string Missing(const std::string& standby, const ConntrackState& conntrack) {
  const std::string what = absl::StrCat(
      Grouped(conntrack.missing), conntrack.missing == 1 ? " connection is" : " connections are",
      " missing on ", standby, ": its kernel");
  if (!IsFull(conntrack)) return absl::StrCat(what, " refused, and is asked again each second");
  return absl::StrCat(what, "'s table is full (", Grouped(conntrack.table_entries), " of ",
                      Grouped(conntrack.table_maximum),
                      "); raise net.netfilter.nf_conntrack_max there");
}

// As `node` sees them; the other one is the standby if it is master.
Precondition Flows(const std::string& node, const std::string& standby,
                   const ConntrackState& conntrack) {
  Precondition flows{.name = "connections", .node = node, .met = Holds(conntrack)};
  const std::string digest =
      conntrack.digest == 0
          ? ""
          : absl::StrCat(", digest ", absl::Hex(conntrack.digest, absl::kZeroPad16));
  if (conntrack.synchronised && conntrack.missing > 0) {
    flows.evidence = Missing(standby, conntrack);
  } else if (conntrack.synchronised && conntrack.differs) {
    flows.evidence =
        absl::StrCat("the standby holds other flows than ", node, " has sent it (",
                     Grouped(conntrack.flows), digest, " there, ", Grouped(conntrack.refused),
                     " refused by its kernel so far); a new snapshot will mend it");
  } else if (flows.met) {
    flows.evidence = absl::StrCat(
        node, " sees ", Grouped(conntrack.flows), " flows synchronised, lag ",
        absl::FormatDuration(absl::Trunc(conntrack.lag, absl::Milliseconds(1))), digest);
  } else {
    flows.evidence = absl::StrCat("the flows are not synchronised, as ", node, " sees it (",
                                  Grouped(conntrack.flows), " so far)", Because(conntrack.problem));
  }
  return flows;
}

Precondition Files(const std::string& node, const RootState& root) {
  Precondition files{.name = absl::StrCat("files ", root.path), .node = node};
  const std::string what = absl::StrCat(root.path, " (", Grouped(root.entries),
                                        root.entries == 1 ? " entry)" : " entries)");
  if (!root.problem.empty()) {
    files.evidence =
        absl::StrCat(what, " is not synchronised, as ", node, " sees it: ", root.problem);
  } else if (!root.Equal()) {
    files.evidence = absl::StrCat(what, " differs between the nodes, as ", node, " sees it");
  } else {
    files.met = true;
    files.evidence = absl::StrCat(node, " sees ", what, " equal on both");
  }
  return files;
}

Precondition NoFiles(const std::string& node) {
  return {"files", node, false, false, absl::StrCat(node, " has not scanned its files yet")};
}

// What `node` sees of flows and files.
void AddReplication(bool has_flows, bool has_roots, const std::string& node,
                    const std::string& standby, const ConntrackState& conntrack,
                    const std::vector<RootState>& roots, std::vector<Precondition>& list) {
  if (has_flows) list.push_back(Flows(node, standby, conntrack));
  if (!has_roots) return;
  if (roots.empty()) list.push_back(NoFiles(node));
  for (const RootState& root : roots) list.push_back(Files(node, root));
}

Precondition Link(const State& state) {
  const std::string& peer = state.config.peer_name;
  if (!state.peer.connected) {
    return {"link", "", false, false, absl::StrCat(peer, " is unreachable: ", state.peer.problem)};
  }
  return {"link", "", true, false,
          absl::StrCat("the link to ", peer, " lives, over ", state.peer.address)};
}

// A BACKUP whose peer says MASTER hears its adverts: it would be master itself otherwise.
Precondition Roles(const State& state) {
  const Role own = state.role;
  const Role peer = state.peer.told ? state.peer.told->role : Role::kUnknown;
  const bool met = (own == Role::kMaster && peer == Role::kBackup) ||
                   (own == Role::kBackup && peer == Role::kMaster);
  const std::string seen = absl::StrCat(state.config.node_name, " is ", Name(own), ", ",
                                        state.config.peer_name, " is ", Name(peer));
  return {"roles", "", met, false,
          met ? absl::StrCat(seen, " and hears its adverts")
              : absl::StrCat(seen, "; one MASTER and one BACKUP are needed")};
}

// A standby's reasons that are not in `list` already.
void AddReasons(const std::string& node, const std::vector<std::string>& reasons,
                std::vector<Precondition>& list) {
  for (const std::string& reason : reasons) {
    const bool known = std::any_of(list.begin(), list.end(), [&reason](const Precondition& each) {
      return each.evidence == reason;
    });
    if (!known) list.push_back({"standby", node, false, false, reason});
  }
}

// The node that does not lead, as far as is known.
const std::string& Standby(const State& state) {
  return state.role == Role::kMaster ? state.config.peer_name : state.config.node_name;
}

}  // namespace

bool IsFull(const ConntrackState& conntrack) {
  return conntrack.missing > 0 && conntrack.table_maximum > 0;
}

std::string NoRoomThere(const State& state) {
  if (!state.config.replicate_conntrack || !state.conntrack.synchronised) return "";
  return IsFull(state.conntrack) ? Missing(state.config.peer_name, state.conntrack) : "";
}

std::vector<std::string> MissingHere(const State& state) {
  // As AddReplication, without the sentences of what is there.
  const Config& config = state.config;
  std::vector<std::string> missing;
  if (config.replicate_conntrack && !Holds(state.conntrack))
    missing.push_back(Flows(config.node_name, Standby(state), state.conntrack).evidence);
  if (!config.has_roots) return missing;
  if (state.roots.empty()) missing.push_back(NoFiles(config.node_name).evidence);
  for (const RootState& root : state.roots) {
    if (!Holds(root)) missing.push_back(Files(config.node_name, root).evidence);
  }
  return missing;
}

bool HoldsAll(const State& state) {
  const Config& config = state.config;
  if (config.replicate_conntrack && !Holds(state.conntrack)) return false;
  if (!config.has_roots) return true;
  return !state.roots.empty() && std::all_of(state.roots.begin(), state.roots.end(),
                                             [](const RootState& root) { return Holds(root); });
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
  const Config& config = state.config;
  std::vector<Precondition> list;
  list.reserve(32);  // they are large, and this is asked at each change
  list.push_back(Link(state));
  const bool told = state.peer.connected && state.peer.told;
  if (state.peer.connected) list.push_back(Roles(state));
  AddReplication(config.replicate_conntrack, config.has_roots, config.node_name, Standby(state),
                 state.conntrack, state.roots, list);
  if (told) {
    const NodeState& peer = *state.peer.told;
    // A standby whose files are not scanned yet says so among its reasons.
    const bool has_roots = config.has_roots && (peer.role == Role::kMaster || !peer.roots.empty());
    AddReplication(config.replicate_conntrack, has_roots, config.peer_name, Standby(state),
                   peer.conntrack, peer.roots, list);
  }
  AddReasons(config.node_name, OwnReasons(state), list);
  // What the master's own parts lack keeps nobody from taking over from it.
  if (told && state.peer.told->role != Role::kMaster) {
    AddReasons(config.peer_name, state.peer.told->not_ready, list);
  }
  for (auto* judge : {&HealthPreconditions, &FactPreconditions}) {
    for (Precondition& precondition : judge(state)) list.push_back(std::move(precondition));
  }
  return list;
}

std::vector<std::string> Unmet(const std::vector<Precondition>& list) {
  std::vector<std::string> reasons;
  for (const Precondition& precondition : list) {
    // Both nodes may see the same.
    const auto same = std::find(reasons.begin(), reasons.end(), precondition.evidence);
    if (!precondition.met && same == reasons.end()) reasons.push_back(precondition.evidence);
  }
  return reasons;
}

std::vector<std::string> NotReady(const State& state) { return Unmet(Preconditions(state)); }

}  // namespace zcluster::core
