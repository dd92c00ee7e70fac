// SPDX-License-Identifier: Apache-2.0
// zctl fleet switchover: in each of some pairs the master hands over to its peer.
#include <string>
#include <vector>

#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_each.h"
#include "ctl/verbs/fleet_pairs.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {

ExitCode FleetSwitchover(Context& context) {
  const auto pairs = PairsMeant(context, context.words, "PAIR", "Switch over");
  if (!pairs.ok()) return Fail(context, pairs.status());
  return FollowEach(
      context, *pairs,
      [&](size_t i, const Channel& channel, grpc::ClientContext* call) {
        v1::FleetSwitchoverRequest request;
        request.set_pair((*pairs)[i]);
        request.set_force(context.Has("--force"));
        request.set_reason(context.Value("--reason"));
        return v1::FleetService::NewStub(channel)->Switchover(call, request);
      },
      "switched over");
}

}  // namespace zcluster::ctl
