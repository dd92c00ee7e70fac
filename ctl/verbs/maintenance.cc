// SPDX-License-Identifier: Apache-2.0
// zctl maintenance enter, start: takes this node out, and makes it eligible again.
#include "ctl/verbs/enter_request.h"
#include "ctl/verbs/steps.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::ctl {

ExitCode MaintenanceEnter(Context& context) {
  const auto request = EnterRequestOf<v1::EnterRequest>(context);
  if (!request.ok()) return Fail(context, request.status());
  return FollowSteps(context,
                     [&request](const Channel& channel, grpc::ClientContext* call) {
                       return v1::MaintenanceService::NewStub(channel)->Enter(call, *request);
                     },
                     {.done = "in maintenance"});
}

ExitCode MaintenanceStart(Context& context) {
  v1::StartRequest request;
  request.set_force(context.Has("--force"));
  return FollowSteps(context,
                     [&request](const Channel& channel, grpc::ClientContext* call) {
                       return v1::MaintenanceService::NewStub(channel)->Start(call, request);
                     },
                     {.done = "eligible again"});
}

}  // namespace zcluster::ctl
