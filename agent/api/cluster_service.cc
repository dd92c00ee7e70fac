// SPDX-License-Identifier: Apache-2.0
#include "agent/api/cluster_service.h"

#include "agent/api/unary_answer.h"
#include "common/loop.h"

namespace zcluster::api {

grpc::ServerUnaryReactor* ClusterService::Nodes(grpc::CallbackServerContext*,
                                                const v1::NodesRequest*,
                                                v1::NodesResponse* response) {
  auto answer = UnaryAnswer::Make();
  desk_.Ask([this, answer, response](const absl::Status& status) {
    answer->Give(status, [&] { *response = board_.Nodes(); });
  });
  return answer.get();
}

grpc::ServerUnaryReactor* ClusterService::GetStatus(grpc::CallbackServerContext*,
                                                    const v1::GetStatusRequest*,
                                                    v1::GetStatusResponse* response) {
  auto answer = UnaryAnswer::Make();
  desk_.Ask([this, answer, response](const absl::Status& status) {
    answer->Give(status, [&] { *response = board_.Status(Loop::Now()); });
  });
  return answer.get();
}

}  // namespace zcluster::api
