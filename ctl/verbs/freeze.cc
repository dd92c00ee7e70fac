// SPDX-License-Identifier: Apache-2.0
// zctl freeze, unfreeze: suspends the pair's automatic decisions, and lets it decide again.
#include "ctl/verbs/steps.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::ctl {

ExitCode Freeze(Context& context) {
  v1::FreezeRequest request;
  request.set_reason(context.Value("--reason"));
  return FollowSteps(context,
                     [&request](const Channel& channel, grpc::ClientContext* call) {
                       return v1::MaintenanceService::NewStub(channel)->Freeze(call, request);
                     },
                     {.done = "frozen"});
}

ExitCode Unfreeze(Context& context) {
  return FollowSteps(context,
                     [](const Channel& channel, grpc::ClientContext* call) {
                       return v1::MaintenanceService::NewStub(channel)->Unfreeze(
                           call, v1::UnfreezeRequest());
                     },
                     {.done = "the pair decides again"});
}

}  // namespace zcluster::ctl
