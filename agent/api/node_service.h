// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/api/lifecycle.h"
#include "common/access/desk.h"
#include "zcluster/v1/bootstrap.grpc.pb.h"

namespace zcluster::api {

// How this node lets itself be joined to a pair: hands each request to `lifecycle`.
class NodeService : public v1::NodeService::CallbackService {
 public:
  // Both must outlive this object.
  NodeService(access::Desk& desk, Lifecycle& lifecycle) : desk_(desk), lifecycle_(lifecycle) {}

 private:
  grpc::ServerUnaryReactor* Token(grpc::CallbackServerContext* context,
                                  const v1::TokenRequest* request,
                                  v1::TokenResponse* response) override;
  grpc::ServerUnaryReactor* Fingerprint(grpc::CallbackServerContext* context,
                                        const v1::FingerprintRequest* request,
                                        v1::FingerprintResponse* response) override;
  grpc::ServerUnaryReactor* Unlock(grpc::CallbackServerContext* context,
                                   const v1::UnlockRequest* request,
                                   v1::UnlockResponse* response) override;

  access::Desk& desk_;
  Lifecycle& lifecycle_;
};

}  // namespace zcluster::api
