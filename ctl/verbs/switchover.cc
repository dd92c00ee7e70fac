// SPDX-License-Identifier: Apache-2.0
// zctl switchover: the master hands over to its peer.
#include "ctl/verbs/steps.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::ctl {

ExitCode Switchover(Context& context) {
  v1::SwitchoverRequest request;
  request.set_force(context.Has("--force"));
  request.set_reason(context.Value("--reason"));
  request.set_leave(context.Has("--leave"));
  return FollowSteps(context,
                     [&request](const Channel& channel, grpc::ClientContext* call) {
                       return v1::MaintenanceService::NewStub(channel)->Switchover(call, request);
                     },
                     {.done = "switched over"});
}

}  // namespace zcluster::ctl
