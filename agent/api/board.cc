// SPDX-License-Identifier: Apache-2.0
#include "agent/api/board.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/wire/wire.h"

namespace zcluster::api {
namespace {

constexpr absl::string_view kInNoPair = "in no pair; make one: zctl cluster create";

core::NodeView Starting(const std::string& name, const std::string& address) {
  core::NodeView node;
  node.name = name;
  node.address = address;
  node.message = "starting";
  return node;
}

}  // namespace

Board::Board(Options options) : options_(std::move(options)) {
  view_.local = Starting(options_.node_name, options_.node_address);
  view_.remote = Starting(options_.peer_name, options_.peer_address);
  view_.not_ready = {"the agent is starting"};
  view_.link.problem = "starting";
  view_.conntrack.problem = "starting";
  if (!options_.unconfigured) return;
  view_.local.role = core::Role::kUnconfigured;
  view_.local.message = std::string(kInNoPair);
  view_.remote = {};
  view_.not_ready = {std::string(kInNoPair)};
  view_.link.problem = view_.conntrack.problem = "in no pair";
}

void Board::Publish(core::View view) {
  started_ = true;
  view_ = std::move(view);
}

absl::Status Board::InPair() const {
  if (!options_.unconfigured) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(options_.node_name, " is ", kInNoPair));
}

v1::NodesResponse Board::Nodes(absl::Time now) const {
  v1::NodesResponse response;
  v1::Node& local = *response.add_nodes();
  local = wire::ToProto(view_.local, /*local=*/true);
  local.set_generation(options_.generation);
  *local.mutable_age() = wire::ToProto(absl::ZeroDuration());
  if (options_.unconfigured) return response;
  v1::Node& remote = *response.add_nodes();
  remote = wire::ToProto(view_.remote, /*local=*/false);
  if (view_.heard > absl::InfinitePast())
    *remote.mutable_age() = wire::ToProto(std::max(now - view_.heard, absl::ZeroDuration()));
  return response;
}

v1::GetStatusResponse Board::Status(absl::Time now) const {
  v1::GetStatusResponse response;
  response.set_pair(options_.pair);
  *response.mutable_nodes() = Nodes(now).nodes();
  response.set_term(view_.term.value);
  response.set_ready(view_.not_ready.empty());
  for (const std::string& reason : view_.not_ready) response.add_not_ready(reason);
  for (const core::Precondition& precondition : view_.readiness) {
    *response.add_readiness() = wire::ToProto(precondition);
  }
  for (const Options::Vip& vip : options_.vips) {
    v1::Vip& shown = *response.add_vips();
    shown.set_address(vip.address);
    shown.set_interface(vip.interface);
    // The brain calls a node master exactly while its keepalived says that it holds the VIPs.
    shown.set_held(view_.local.role == core::Role::kMaster);
  }
  v1::LinkState& link = *response.mutable_link();
  link.set_up(view_.link.up);
  link.set_address(view_.link.address);
  link.set_version(view_.link.version);
  link.set_problem(view_.link.problem);
  // Before its first change the link has no time that could be counted from.
  if (view_.link.since > absl::UnixEpoch() && view_.link.since <= now) {
    *link.mutable_since() = wire::ToProto(now - view_.link.since);
  }
  *response.mutable_conntrack() = wire::ToProto(view_.conntrack);
  for (const core::RootState& root : view_.roots) *response.add_roots() = wire::ToProto(root);
  response.set_version(options_.version);
  *response.mutable_advert_interval() = wire::ToProto(options_.advert_interval);
  if (controller_ != nullptr) *response.mutable_controller() = controller_();
  return response;
}

}  // namespace zcluster::api
