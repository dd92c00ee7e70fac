// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "common/access/desk.h"
#include "common/access/guard.h"
#include "controller/hub/hub.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::controller {

// Who may reach the controller from elsewhere (asked of the hub), and who did what (asked of the
// audit). As on a pair, where `pair` is the fleet.
class OperatorService : public v1::OperatorService::CallbackService {
 public:
  // All must outlive this object.
  OperatorService(access::Desk& desk, Hub& hub, AuditTrail& audit)
      : desk_(desk), hub_(hub), audit_(audit) {}

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
  Hub& hub_;
  AuditTrail& audit_;
};

}  // namespace zcluster::controller
