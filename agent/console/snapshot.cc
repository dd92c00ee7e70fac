// SPDX-License-Identifier: Apache-2.0
#include "agent/console/snapshot.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/core/names.h"
#include "common/strings.h"

namespace zcluster::console {
namespace {

// The configuration allows 32; what the console shows must have a bound of its own.
constexpr size_t kMaxRoots = 64;

// In the words of core::Name().
std::vector<std::string> Roles() {
  return {"UNKNOWN", "MASTER", "BACKUP", "MAINTENANCE", "FAULT", "UNCONFIGURED"};
}

std::vector<std::string> Colours() { return {"GREEN", "RED", "GREY", "ORANGE"}; }

absl::string_view Colour(core::Status status) {
  switch (status) {
    case core::Status::kGreen:
      return "GREEN";
    case core::Status::kRed:
      return "RED";
    case core::Status::kGrey:
      return "GREY";
    case core::Status::kOrange:
      return "ORANGE";
  }
  return "GREY";
}

double Bool(bool value) { return value ? 1 : 0; }
double Number(uint64_t value) { return static_cast<double>(value); }

void MeasureNode(const Snapshot& s, http_console::Metrics& m) {
  Member member;
  member.node = s.node;
  if (s.member) member = *s.member;
  m.Gauge("zcluster_node_info", "Always 1: the node, and the pair that it is in; empty: in no pair",
          1,
          {{"node", member.node},
           {"address", member.address},
           {"pair", member.pair},
           {"peer", member.peer}});
  const core::Role role = s.member ? s.view.local.role : core::Role::kUnconfigured;
  const core::Status status = s.member ? s.view.local.status : core::Status::kGrey;
  m.State("zcluster_role", "1 for the role that the node has", "role", Roles(), core::Name(role));
  m.State("zcluster_status", "1 for the colour that an operator sees", "status", Colours(),
          Colour(status));
}

void MeasurePair(const Snapshot& s, http_console::Metrics& m) {
  m.Gauge("zcluster_ready", "Whether a failover right now would succeed",
          Bool(s.view.not_ready.empty()));
  m.Gauge("zcluster_term", "Highest term that the node has seen", Number(s.view.term.value));
  m.Gauge("zcluster_own_term", "Term of the node's own last promotion",
          Number(s.view.own_term.value));
  m.Gauge("zcluster_link_up", "Whether the agents of the pair are connected", Bool(s.view.link.up));
  m.State("zcluster_peer_role", "1 for the role that the peer says it has; UNKNOWN: it says none",
          "role", Roles(), core::Name(s.view.remote.role));
}

void MeasureClasses(const core::FlowClasses& classes, http_console::Metrics& m) {
  if (!classes.known) return;
  for (const auto& [name, flows] :
       std::initializer_list<std::pair<std::string, uint64_t>>{{"forwarded", classes.forwarded},
                                                               {"translated", classes.translated},
                                                               {"local", classes.local},
                                                               {"own", classes.own},
                                                               {"filtered", classes.filtered}}) {
    m.Gauge("zcluster_conntrack_table_flows",
            "Connections of the node's kernel as counted last, by what they are to the node",
            Number(flows), {{"class", name}});
  }
}

void MeasureConntrack(const core::ConntrackState& state, http_console::Metrics& m) {
  m.Gauge("zcluster_conntrack_synchronised",
          "Whether the backup holds a whole snapshot of the flows and every change since",
          Bool(state.synchronised));
  m.Gauge("zcluster_conntrack_flows", "Flows replicated at present", Number(state.flows));
  m.Gauge("zcluster_conntrack_missing",
          "Flows that the backup's kernel does not hold, since it did not take them",
          Number(state.missing));
  MeasureClasses(state.classes, m);
  if (!state.synchronised) return;
  m.Gauge("zcluster_conntrack_lag_seconds",
          "Age of the oldest change of a flow that is not in the backup's kernel yet",
          absl::ToDoubleSeconds(state.lag));
}

void MeasureTotals(const Snapshot& s, http_console::Metrics& m) {
  m.Counter("zcluster_promotions_total", "Times that the node became master, each a new term",
            Number(s.promotions));
  m.Counter("zcluster_demotions_total", "Times that the node ceased to be master",
            Number(s.demotions));
  m.Counter("zcluster_conntrack_changes_total",
            "Changes of flows sent as a master or applied as a backup",
            Number(s.conntrack.changes));
  m.Counter("zcluster_conntrack_snapshots_total", "Whole snapshots of the flows made",
            Number(s.conntrack.snapshots));
  m.Counter("zcluster_conntrack_overruns_total",
            "Times that the kernel dropped events of flows because the buffer was full",
            Number(s.conntrack.overruns));
  m.Counter("zcluster_conntrack_refused_total", "Changes of flows that the backup's kernel refused",
            Number(s.conntrack.refused));
  m.Counter("zcluster_conntrack_verifications_total",
            "Comparisons of the two kernels' tables that were asked for on this node",
            Number(s.conntrack.verifications));
  m.Counter("zcluster_conntrack_differing_total",
            "Flows that lastingly differed in those comparisons", Number(s.conntrack.differing));
  m.Counter("zcluster_conntrack_repairs_total",
            "Snapshots made because the backup held other flows than the master",
            Number(s.conntrack.repairs));
}

void MeasureRoots(const std::vector<core::RootState>& all, http_console::Metrics& m) {
  // A path that came twice would make two samples of one name.
  std::vector<const core::RootState*> roots;
  std::set<std::string> paths;
  for (const core::RootState& root : all) {
    if (roots.size() < kMaxRoots && paths.insert(root.path).second) roots.push_back(&root);
  }
  for (const core::RootState* root : roots) {
    m.Gauge("zcluster_configsync_root_synchronised", "Whether both nodes hold the same files",
            Bool(root->Equal()), {{"path", root->path}});
  }
  for (const core::RootState* root : roots) {
    m.Gauge("zcluster_configsync_root_entries", "Files, directories and links that the node holds",
            Number(root->entries), {{"path", root->path}});
  }
}

}  // namespace

void Measure(const Snapshot& snapshot, http_console::Metrics& metrics) {
  MeasureNode(snapshot, metrics);
  MeasureTotals(snapshot, metrics);
  if (!snapshot.member) return;
  MeasurePair(snapshot, metrics);
  if (snapshot.member->replicate_conntrack) MeasureConntrack(snapshot.view.conntrack, metrics);
  MeasureRoots(snapshot.view.roots, metrics);
}

std::vector<std::string> Problems(const Snapshot& snapshot) {
  if (!snapshot.member || snapshot.view.local.status != core::Status::kRed) return {};
  // Part of it may be the peer's words.
  return {absl::StrCat(snapshot.member->node, " is RED: ", Printable(snapshot.view.local.message))};
}

}  // namespace zcluster::console
