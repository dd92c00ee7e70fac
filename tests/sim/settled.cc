// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/settled.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/core/names.h"
#include "agent/core/operations.h"
#include "agent/core/readiness.h"
#include "agent/core/roles.h"

namespace zcluster::sim {
namespace {

using core::Role;
using core::State;

// What is unfinished about one node by itself.
std::string WhyNotAtRest(const Pair& pair, int index) {
  const Node& node = pair.node(index);
  const std::string& name = node.config().node_name;
  if (!node.agent() || node.agent()->hung())
    return absl::StrCat("the agent of ", name, " does not run");
  const State& state = node.agent()->state();
  if (state.operation) {
    return absl::StrCat(name, " is busy with ", core::Name(state.operation->kind), " (",
                        core::Name(state.operation->phase), ")");
  }
  if (state.durable.freeze.active) return absl::StrCat(name, " is frozen");
  if (state.durable.maintenance && state.durable.maintenance_until != absl::InfiniteFuture())
    return absl::StrCat(name, " is in maintenance although its time will be over");
  core::Durable on_disk = state.on_disk;
  on_disk.synchronised = state.durable.synchronised;  // written now and then, also at rest
  if (on_disk != state.durable) return absl::StrCat(name, " waits for its disk");
  if (!state.vrrp || *state.vrrp != node.keepalived().state()) {
    return absl::StrCat(name, " does not know that keepalived says ",
                        core::Name(node.keepalived().state()));
  }
  if (!state.peer.told) return absl::StrCat(name, " has heard nothing from its peer");
  const bool fault = core::MustStandAside(state);
  if (fault != node.files().fault)
    return absl::StrCat("the fault file of ", name, " is not what it wants");
  if (fault != state.durable.maintenance)
    return absl::StrCat(name, " stands aside: ", core::FaultReason(state));
  return "";
}

std::string WhyNotAgreed(const State& master, const State& other) {
  const std::string& name = other.config.node_name;
  if (other.role != (other.durable.maintenance ? Role::kMaintenance : Role::kBackup)) {
    return absl::StrCat(name, " is ", core::Name(other.role));
  }
  if (!other.peer.Says(Role::kMaster) || !master.peer.Says(other.role))
    return "they do not know each other's role";
  if (master.durable.own_term <= other.durable.own_term)
    return "the master's term is not the later one";
  if (master.durable.highest_term != master.durable.own_term ||
      other.durable.highest_term != master.durable.own_term) {
    return "they do not agree on the term";
  }
  if (core::StandingOf(master) != core::Standing::kMaster ||
      core::StandingOf(other) != core::Standing::kStandby) {
    return "the priorities are not those of a pair at rest";
  }
  return "";
}

std::string WhyNotReady(const State& state) {
  const std::vector<std::string> reasons = core::NotReady(state);
  if (reasons.empty()) return "";
  return absl::StrCat("not ready, as ", state.config.node_name,
                      " sees it: ", absl::StrJoin(reasons, "; "));
}

}  // namespace

std::string WhyNotSettled(const Pair& pair, bool all_back) {
  if (!pair.link().Lives()) return "the link is down";
  for (int node : {0, 1}) {
    if (std::string why = WhyNotAtRest(pair, node); !why.empty()) return why;
  }
  const State& first = pair.node(0).agent()->state();
  const State& second = pair.node(1).agent()->state();
  const bool out = first.durable.maintenance || second.durable.maintenance;
  if (all_back && out) return "a node is in maintenance still";
  const int masters =
      (first.role == Role::kMaster ? 1 : 0) + (second.role == Role::kMaster ? 1 : 0);
  if (first.durable.maintenance && second.durable.maintenance) {
    return masters == 0 ? "" : "a node in maintenance is master";
  }
  if (masters != 1) return absl::StrCat("there are ", masters, " masters");
  const State& master = first.role == Role::kMaster ? first : second;
  const State& other = first.role == Role::kMaster ? second : first;
  if (master.durable.maintenance) return "the master is in maintenance";
  if (std::string why = WhyNotAgreed(master, other); !why.empty()) return why;
  if (!pair.replication().in_step()) return "they are not synchronised";
  if (other.durable.maintenance) return "";
  const bool fails_back = master.config.failback == core::Failback::kPreferred;
  if (fails_back && master.config.preferred != master.config.node_name) return "a failback is due";
  if (std::string why = WhyNotReady(master); !why.empty()) return why;
  return WhyNotReady(other);
}

}  // namespace zcluster::sim
