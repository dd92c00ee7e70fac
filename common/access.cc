// SPDX-License-Identifier: Apache-2.0
#include "common/access.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace zcluster::access {
namespace {

constexpr bool kAudited = true;
constexpr bool kNotAudited = false;
constexpr bool kPeerToo = true;

// The streams between the nodes (link, flows, files) are not audited, although they change the
// backup: they repeat what was done on the master, for as long as the pair lives.
constexpr auto kTable = std::to_array<Rule>({
    {"zcluster.v1.ClusterService/Nodes", For::kViewer, kNotAudited, kPeerToo},
    {"zcluster.v1.ClusterService/Watch", For::kViewer, kNotAudited},
    {"zcluster.v1.ClusterService/Reload", For::kViewer, kNotAudited},
    {"zcluster.v1.ClusterService/GetStatus", For::kViewer, kNotAudited},
    {"zcluster.v1.ClusterService/Events", For::kViewer, kNotAudited, kPeerToo},
    {"zcluster.v1.ClusterService/Describe", For::kViewer, kNotAudited},
    {"zcluster.v1.ClusterService/Interfaces", For::kAdmin, kNotAudited},
    {"zcluster.v1.ClusterService/Probe", For::kAdmin, kNotAudited},
    {"zcluster.v1.ClusterService/Create", For::kAdmin, kAudited},
    {"zcluster.v1.ClusterService/Plan", For::kAdmin, kNotAudited},
    {"zcluster.v1.ClusterService/Apply", For::kAdmin, kAudited},
    {"zcluster.v1.ClusterService/Unconfigure", For::kAdmin, kAudited},

    {"zcluster.v1.MaintenanceService/Switchover", For::kOperator, kAudited, kPeerToo},
    {"zcluster.v1.MaintenanceService/Enter", For::kOperator, kAudited},
    {"zcluster.v1.MaintenanceService/Start", For::kOperator, kAudited},
    {"zcluster.v1.MaintenanceService/Freeze", For::kOperator, kAudited},
    {"zcluster.v1.MaintenanceService/Unfreeze", For::kOperator, kAudited},

    {"zcluster.v1.CommandService/Run", For::kOperator, kAudited, kPeerToo},
    {"zcluster.v1.CommandService/Replicate", For::kPeer, kAudited},
    {"zcluster.v1.CommandService/List", For::kViewer, kNotAudited, kPeerToo},

    {"zcluster.v1.NodeService/Token", For::kAdmin, kAudited},
    {"zcluster.v1.NodeService/Fingerprint", For::kAdmin, kNotAudited},
    {"zcluster.v1.NodeService/Unlock", For::kAdmin, kAudited},

    {"zcluster.v1.ConflictService/List", For::kViewer, kNotAudited},
    {"zcluster.v1.ConflictService/Drop", For::kAdmin, kAudited},

    {"zcluster.v1.OperatorService/Add", For::kAdmin, kAudited},
    {"zcluster.v1.OperatorService/List", For::kViewer, kNotAudited},
    {"zcluster.v1.OperatorService/Revoke", For::kAdmin, kAudited},
    {"zcluster.v1.OperatorService/Audit", For::kAdmin, kNotAudited},

    {"zcluster.v1.PeerService/Link", For::kPeer, kNotAudited},
    {"zcluster.v1.ConntrackService/Replicate", For::kPeer, kNotAudited},
    {"zcluster.v1.ConntrackService/Merge", For::kPeer, kNotAudited},
    {"zcluster.v1.ComparisonService/Begin", For::kPeer, kNotAudited},
    {"zcluster.v1.ComparisonService/Sum", For::kPeer, kNotAudited},
    {"zcluster.v1.ComparisonService/Read", For::kPeer, kNotAudited},
    {"zcluster.v1.ComparisonService/Look", For::kPeer, kNotAudited},
    {"zcluster.v1.ComparisonService/Settle", For::kPeer, kNotAudited},
    {"zcluster.v1.ComparisonService/Resynchronise", For::kPeer, kAudited},
    {"zcluster.v1.ConfigSyncService/Sync", For::kPeer, kNotAudited},

    {"zcluster.v1.ConfigurationService/Propose", For::kPeer, kAudited},
    {"zcluster.v1.ConfigurationService/Commit", For::kPeer, kAudited},
    {"zcluster.v1.ConfigurationService/Abandon", For::kPeer, kAudited},
    {"zcluster.v1.ConfigurationService/Fetch", For::kPeer, kNotAudited},
    {"zcluster.v1.ConfigurationService/Outcome", For::kPeer, kNotAudited},
    {"zcluster.v1.ConfigurationService/Leave", For::kPeer, kAudited},

    {"zcluster.v1.BootstrapService/Join", For::kBootstrap, kAudited},

    {"zcluster.v1.FlowService/Watch", For::kViewer, kNotAudited},
    {"zcluster.v1.FlowService/Verify", For::kViewer, kNotAudited},
    {"zcluster.v1.FlowService/Repair", For::kOperator, kAudited},
    {"zcluster.v1.FlowService/List", For::kViewer, kNotAudited},
    {"zcluster.v1.FlowService/Stats", For::kViewer, kNotAudited},
    {"zcluster.v1.FlowService/Top", For::kViewer, kNotAudited},

    {"zcluster.v1.FleetService/Token", For::kAdmin, kAudited},
    {"zcluster.v1.FleetService/List", For::kViewer, kNotAudited},
    {"zcluster.v1.FleetService/Show", For::kViewer, kNotAudited},
    {"zcluster.v1.FleetService/Watch", For::kViewer, kNotAudited},
    {"zcluster.v1.FleetService/Events", For::kViewer, kNotAudited},
    {"zcluster.v1.FleetService/Flows", For::kViewer, kNotAudited},
    {"zcluster.v1.FleetService/Label", For::kOperator, kAudited},
    {"zcluster.v1.FleetService/Forget", For::kAdmin, kAudited},
    {"zcluster.v1.FleetService/Switchover", For::kOperator, kAudited},
    {"zcluster.v1.FleetService/EnterMaintenance", For::kOperator, kAudited},
    {"zcluster.v1.FleetService/StartMaintenance", For::kOperator, kAudited},
    {"zcluster.v1.FleetService/Run", For::kOperator, kAudited},

    {"zcluster.v1.FleetLinkService/Connect", For::kAgent, kNotAudited},
    {"zcluster.v1.EnrolmentService/Enrol", For::kEnrolment, kAudited},

    {"grpc.health.v1.Health/Check", For::kViewer, kNotAudited, kPeerToo},
    {"grpc.health.v1.Health/Watch", For::kViewer, kNotAudited, kPeerToo},
    {"grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", For::kViewer, kNotAudited,
     kPeerToo},
});

absl::Status Needs(const Caller& caller, const Rule& rule, Right needed) {
  if (caller.right >= needed || (caller.peer && rule.peer_too)) return absl::OkStatus();
  if (caller.right == Right::kNone) {
    return absl::PermissionDeniedError(absl::StrCat(caller.name, " may not call ", rule.method,
                                                    ": it needs the right ", Name(needed)));
  }
  return absl::PermissionDeniedError(absl::StrCat(caller.name, " has the right ",
                                                  Name(caller.right), ", but ", rule.method,
                                                  " needs ", Name(needed)));
}

}  // namespace

absl::string_view Name(Right right) {
  switch (right) {
    case Right::kNone:
      return "nobody";
    case Right::kViewer:
      return "viewer";
    case Right::kOperator:
      return "operator";
    case Right::kAdmin:
      return "admin";
  }
  return "nobody";
}

absl::Span<const Rule> Table() { return kTable; }

const Rule* Find(absl::string_view method) {
  method = absl::StripPrefix(method, "/");
  const auto* found = std::find_if(kTable.begin(), kTable.end(),
                                   [method](const Rule& rule) { return rule.method == method; });
  return found == kTable.end() ? nullptr : found;
}

absl::Status Check(const Caller& caller, const Rule& rule) {
  switch (rule.who) {
    case For::kViewer:
      return Needs(caller, rule, Right::kViewer);
    case For::kOperator:
      return Needs(caller, rule, Right::kOperator);
    case For::kAdmin:
      return Needs(caller, rule, Right::kAdmin);
    case For::kPeer:
      if (caller.peer) return absl::OkStatus();
      return absl::PermissionDeniedError(absl::StrCat(caller.name, " may not call ", rule.method,
                                                      ": it is for the other node of the pair"));
    case For::kBootstrap:
      return absl::PermissionDeniedError(
          absl::StrCat(caller.name, " may not call ", rule.method,
                       " here: only the port of bootstrapping lets joins in"));
    case For::kAgent:
      return absl::PermissionDeniedError(
          absl::StrCat(caller.name, " may not call ", rule.method,
                       " here: it is for agents, on the controller's port for them"));
    case For::kEnrolment:
      return absl::PermissionDeniedError(
          absl::StrCat(caller.name, " may not call ", rule.method,
                       " here: only the port of enrolment lets nodes in"));
  }
  return absl::PermissionDeniedError(absl::StrCat(caller.name, " may not call ", rule.method));
}

}  // namespace zcluster::access
