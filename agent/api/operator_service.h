// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/api/lifecycle.h"
#include "common/access/desk.h"
#include "common/access/guard.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::api {

// Who may reach the pair from elsewhere (asked of `lifecycle`: the list is part of the pair's
// configuration), and who did what (asked of `audit`).
class OperatorService : public v1::OperatorService::CallbackService {
 public:
  // All must outlive this object.
  OperatorService(access::Desk& desk, Lifecycle& lifecycle, AuditTrail& audit)
      : desk_(desk), lifecycle_(lifecycle), audit_(audit) {}

 private:
  grpc::ServerUnaryReactor* Add(grpc::CallbackServerContext* context,
                                const v1::AddOperatorRequest* request,
                                v1::AddOperatorResponse* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListOperatorsRequest* request,
                                 v1::ListOperatorsResponse* response) override;
  grpc::ServerUnaryReactor* Revoke(grpc::CallbackServerContext* context,
                                   const v1::RevokeOperatorRequest* request,
                                   v1::RevokeOperatorResponse* response) override;
  grpc::ServerUnaryReactor* Audit(grpc::CallbackServerContext* context,
                                  const v1::AuditRequest* request,
                                  v1::AuditResponse* response) override;

  access::Desk& desk_;
  Lifecycle& lifecycle_;
  AuditTrail& audit_;
};

}  // namespace zcluster::api
