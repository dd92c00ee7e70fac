// SPDX-License-Identifier: Apache-2.0
// zctl maintenance enter, start: takes this node out, and makes it eligible again.
#include "ctl/verbs/steps.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

ExitCode MaintenanceEnter(Context& context) {
  v1::EnterRequest request;
  request.set_force(context.Has("--force"));
  return FollowSteps(
      context,
      [&request](v1::MaintenanceService::Stub& stub, grpc::ClientContext* call) {
        return stub.Enter(call, request);
      },
      "in maintenance");
}

ExitCode MaintenanceStart(Context& context) {
  v1::StartRequest request;
  request.set_force(context.Has("--force"));
  return FollowSteps(
      context,
      [&request](v1::MaintenanceService::Stub& stub, grpc::ClientContext* call) {
        return stub.Start(call, request);
      },
      "eligible again");
}

}  // namespace zcluster::ctl
