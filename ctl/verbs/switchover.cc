// SPDX-License-Identifier: Apache-2.0
// zctl switchover: the master hands over to its peer.
#include "ctl/verbs/steps.h"
#include "ctl/verbs/verb.h"

namespace zcluster::ctl {

ExitCode Switchover(Context& context) {
  v1::SwitchoverRequest request;
  request.set_force(context.Has("--force"));
  return FollowSteps(
      context,
      [&request](v1::MaintenanceService::Stub& stub, grpc::ClientContext* call) {
        return stub.Switchover(call, request);
      },
      "switched over");
}

}  // namespace zcluster::ctl
