// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <vector>

#include "agent/api/board.h"
#include "agent/api/operations.h"
#include "agent/api/relay.h"
#include "common/access/desk.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::api {

// For operators at this node. A switchover asked of a node that is not master is passed on to the
// peer that is.
class MaintenanceService : public v1::MaintenanceService::CallbackService {
 public:
  // References must outlive this object; `peer` may be null.
  MaintenanceService(access::Desk& desk, const Board& board, Operations& operations,
                     std::shared_ptr<grpc::Channel> peer);

  // Ends what was passed on. Loop thread, or after the loop has ended.
  void Stop();

 private:
  using Stream = std::shared_ptr<StepStream>;
  grpc::ServerWriteReactor<v1::Step>* Switchover(grpc::CallbackServerContext* context,
                                                 const v1::SwitchoverRequest* request) override;
  grpc::ServerWriteReactor<v1::Step>* Enter(grpc::CallbackServerContext* context,
                                            const v1::EnterRequest* request) override;
  grpc::ServerWriteReactor<v1::Step>* Start(grpc::CallbackServerContext* context,
                                            const v1::StartRequest* request) override;
  grpc::ServerWriteReactor<v1::Step>* Freeze(grpc::CallbackServerContext* context,
                                             const v1::FreezeRequest* request) override;
  grpc::ServerWriteReactor<v1::Step>* Unfreeze(grpc::CallbackServerContext* context,
                                               const v1::UnfreezeRequest* request) override;
  void PassOn(const core::OperationAsked& wish, absl::Time asked_at, Stream client);

  access::Desk& desk_;
  const Board& board_;
  Operations& operations_;
  const std::shared_ptr<grpc::Channel> peer_;
  std::vector<std::weak_ptr<Relay>> relays_;  // loop thread
};

// For the peer: carries out a switchover if this node is master, and else refuses: two nodes that
// each take the other for the master would pass a call round for ever. The others are for the
// node's own operators: UNIMPLEMENTED.
class PeerMaintenanceService : public v1::MaintenanceService::CallbackService {
 public:
  // All must outlive this object.
  PeerMaintenanceService(access::Desk& desk, const Board& board, Operations& operations);

 private:
  grpc::ServerWriteReactor<v1::Step>* Switchover(grpc::CallbackServerContext* context,
                                                 const v1::SwitchoverRequest* request) override;

  access::Desk& desk_;
  const Board& board_;
  Operations& operations_;
};

}  // namespace zcluster::api
