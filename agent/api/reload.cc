// SPDX-License-Identifier: Apache-2.0
#include "agent/api/reload.h"

#include <chrono>
#include <utility>

#include "agent/wire/wire.h"
#include "common/loop.h"

namespace zcluster::api {
namespace {

// A message is a sentence; a peer that sends more is broken.
constexpr size_t kMaxMessage = 1024;

}  // namespace

std::shared_ptr<Reload> Reload::Begin(const std::shared_ptr<grpc::Channel>& peer,
                                      v1::NodesResponse known,
                                      std::function<void(v1::NodesResponse)> show) {
  std::shared_ptr<Reload> reload(new Reload(peer, std::move(known)));
  reload->stub_->async()->Nodes(&reload->context_, &reload->request_, &reload->heard_,
                                [reload, show = std::move(show)](const grpc::Status& status) {
                                  show(reload->Outcome(status.ok()));
                                });
  return reload;
}

Reload::Reload(const std::shared_ptr<grpc::Channel>& peer, v1::NodesResponse known)
    : stub_(v1::ClusterService::NewStub(peer)), known_(std::move(known)), begun_(Loop::Now()) {
  context_.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(kPatience));
}

v1::NodesResponse Reload::Outcome(bool answered) const {
  v1::NodesResponse nodes = known_;
  for (v1::Node& node : *nodes.mutable_nodes()) {
    if (node.local()) continue;
    const bool believed = answered && heard_.nodes_size() > 0 && heard_.nodes(0).local() &&
                          heard_.nodes(0).message().size() <= kMaxMessage;
    if (believed) {
      const v1::Node& itself = heard_.nodes(0);
      node.set_role(itself.role());
      node.set_status(itself.status());
      node.set_message(itself.message());
      node.set_generation(itself.generation());
      *node.mutable_age() = wire::ToProto(absl::ZeroDuration());
    } else if (node.has_age()) {
      *node.mutable_age() = wire::ToProto(wire::FromProto(node.age()) + (Loop::Now() - begun_));
    }
  }
  return nodes;
}

}  // namespace zcluster::api
