// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/api/board.h"
#include "common/access/desk.h"
#include "zcluster/v1/conflicts.grpc.pb.h"

namespace zcluster::api {

// What this node keeps aside of files that the peer's have overwritten. The loop reads at most ten
// small files for it.
class ConflictService : public v1::ConflictService::CallbackService {
 public:
  // Both must outlive this object.
  ConflictService(access::Desk& desk, const Board& board) : desk_(desk), board_(board) {}

 private:
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListConflictsRequest* request,
                                 v1::ListConflictsResponse* response) override;
  grpc::ServerUnaryReactor* Drop(grpc::CallbackServerContext* context,
                                 const v1::DropConflictRequest* request,
                                 v1::DropConflictResponse* response) override;

  access::Desk& desk_;
  const Board& board_;
};

}  // namespace zcluster::api
