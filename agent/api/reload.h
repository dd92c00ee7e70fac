// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::api {

// Asks the peer how it is, at this moment.
class Reload {
 public:
  // Longer would only keep an operator waiting for a peer that is not well.
  static constexpr absl::Duration kPatience = absl::Seconds(2);

  // `known` is what this node would show without asking. `show` is called once, from one of gRPC's
  // threads: with the peer's line as the peer has it, or, if it does not answer in time, with
  // `known`, older by the wait. The result need not be kept.
  static std::shared_ptr<Reload> Begin(const std::shared_ptr<grpc::Channel>& peer,
                                       v1::NodesResponse known,
                                       std::function<void(v1::NodesResponse)> show);

  // Waits no longer. Any thread.
  void Cancel() { context_.TryCancel(); }

 private:
  Reload(const std::shared_ptr<grpc::Channel>& peer, v1::NodesResponse known);
  v1::NodesResponse Outcome(bool answered) const;

  const std::unique_ptr<v1::ClusterService::Stub> stub_;
  const v1::NodesResponse known_;
  const absl::Time begun_;
  grpc::ClientContext context_;
  const v1::NodesRequest request_;
  v1::NodesResponse heard_;
};

}  // namespace zcluster::api
