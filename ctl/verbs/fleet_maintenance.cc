// SPDX-License-Identifier: Apache-2.0
// zctl fleet maintenance enter, start: takes nodes of the fleet out, and makes them eligible again.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/enter_request.h"
#include "ctl/verbs/fleet_each.h"
#include "ctl/verbs/fleet_pairs.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// Whether --node means this one.
bool IsMeant(const v1::FleetNode& node, const std::string& wanted) {
  if (wanted == "MASTER") return node.role() == v1::ROLE_MASTER;
  if (wanted == "BACKUP") return node.role() == v1::ROLE_BACKUP;
  if (wanted == "MAINTENANCE") return node.role() == v1::ROLE_MAINTENANCE;
  return node.name() == wanted;
}

// One node of each pair that --selector chooses: never both of one.
absl::StatusOr<std::vector<NodeOfPair>> SelectedNodes(Context& context, const std::string& what) {
  const std::string wanted = context.Value("--node");
  if (wanted.empty()) {
    return absl::InvalidArgumentError(
        "--selector chooses pairs; --node says which node of each: its name, or MASTER, BACKUP, "
        "MAINTENANCE");
  }
  ZC_ASSIGN_OR_RETURN(const std::vector<v1::PairSummary> pairs, ChosenPairs(context, what));
  std::vector<NodeOfPair> nodes;
  for (const v1::PairSummary& pair : pairs) {
    for (const v1::FleetNode& node : pair.nodes()) {
      if (!IsMeant(node, wanted)) continue;
      nodes.push_back({pair.name(), node.name()});
      break;
    }
  }
  if (!nodes.empty()) return nodes;
  return absl::NotFoundError(
      absl::StrCat("none of the pairs that match has a node ", wanted, "; nothing was done"));
}

absl::StatusOr<std::vector<NodeOfPair>> NodesMeant(Context& context, const std::string& what) {
  ZC_RETURN_IF_ERROR(CheckChoice(context, !context.words.empty(), "PAIR/NODE"));
  if (context.words.empty()) return SelectedNodes(context, what);
  if (context.Given("--node")) {
    return absl::InvalidArgumentError("--node goes with --selector; PAIR/NODE names it already");
  }
  std::vector<NodeOfPair> nodes;
  ZC_RETURN_IF_ERROR(CheckEachOnce(context.words));
  for (const std::string& word : context.words) {
    ZC_ASSIGN_OR_RETURN(nodes.emplace_back(), ParseNodeOfPair(word));
  }
  return nodes;
}

std::vector<std::string> NamesOf(const std::vector<NodeOfPair>& nodes) {
  std::vector<std::string> names;
  for (const NodeOfPair& node : nodes) names.push_back(absl::StrCat(node.pair, "/", node.node));
  return names;
}

}  // namespace

ExitCode FleetMaintenanceEnter(Context& context) {
  auto request = EnterRequestOf<v1::FleetEnterRequest>(context);
  if (!request.ok()) return Fail(context, request.status());
  const auto nodes = NodesMeant(context, "Take out a node of");
  if (!nodes.ok()) return Fail(context, nodes.status());
  return FollowEach(
      context, NamesOf(*nodes),
      [&](size_t i, const Channel& channel, grpc::ClientContext* call) {
        request->set_pair((*nodes)[i].pair);
        request->set_node((*nodes)[i].node);
        return v1::FleetService::NewStub(channel)->EnterMaintenance(call, *request);
      },
      "in maintenance");
}

ExitCode FleetMaintenanceStart(Context& context) {
  const auto nodes = NodesMeant(context, "Bring back a node of");
  if (!nodes.ok()) return Fail(context, nodes.status());
  return FollowEach(
      context, NamesOf(*nodes),
      [&](size_t i, const Channel& channel, grpc::ClientContext* call) {
        v1::FleetStartRequest request;
        request.set_pair((*nodes)[i].pair);
        request.set_node((*nodes)[i].node);
        request.set_force(context.Has("--force"));
        return v1::FleetService::NewStub(channel)->StartMaintenance(call, request);
      },
      "eligible again");
}

}  // namespace zcluster::ctl
