// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "agent/api/step_stream.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::api {

// A switchover that the peer carries out for a client of ours: the peer's steps go to the client as
// they come, and its status at the end. Goes on when the client is gone.
class Relay : public grpc::ClientReadReactor<v1::Step> {
 public:
  // Asks the node `master` over `channel`; gives up after `bound`. The result need not be kept.
  static std::shared_ptr<Relay> Switchover(std::shared_ptr<grpc::Channel> channel,
                                           const v1::SwitchoverRequest& request, std::string master,
                                           absl::Duration bound,
                                           std::shared_ptr<StepStream> client);

  // Ends our part soon; the peer goes on. Any thread.
  void Cancel() { context_.TryCancel(); }

 private:
  Relay(std::shared_ptr<grpc::Channel> channel, std::string master,
        std::shared_ptr<StepStream> client);
  void OnReadDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  const std::unique_ptr<v1::MaintenanceService::Stub> stub_;
  const std::string master_;
  const std::shared_ptr<StepStream> client_;
  grpc::ClientContext context_;
  v1::SwitchoverRequest request_;
  v1::Step step_;
  bool any_step_ = false;
  std::shared_ptr<Relay> self_;  // gRPC's share; given back in OnDone
};

}  // namespace zcluster::api
