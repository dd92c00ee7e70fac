// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/api/board.h"
#include "agent/api/desk.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::api {

// Answers from the board, on the loop: an agent whose loop hangs does not answer, rather than show
// what was.
class ClusterService : public v1::ClusterService::CallbackService {
 public:
  // Both must outlive this object.
  ClusterService(Desk& desk, const Board& board) : desk_(desk), board_(board) {}

 private:
  grpc::ServerUnaryReactor* Nodes(grpc::CallbackServerContext* context,
                                  const v1::NodesRequest* request,
                                  v1::NodesResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override;

  Desk& desk_;
  const Board& board_;
};

}  // namespace zcluster::api
