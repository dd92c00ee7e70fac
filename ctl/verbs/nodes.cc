// SPDX-License-Identifier: Apache-2.0
// zctl nodes: one line for each node.
#include <ostream>

#include "ctl/verbs/agent.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {

ExitCode Nodes(Context& context) {
  auto channel = Reach(context);
  if (!channel.ok()) return Fail(context, channel.status());
  grpc::ClientContext call;
  LimitTime(context, call);
  v1::NodesResponse response;
  const grpc::Status status =
      v1::ClusterService::NewStub(*channel)->Nodes(&call, v1::NodesRequest(), &response);
  if (!status.ok()) return Fail(context, Outcome(context, status, /*answered=*/false));
  if (context.json) {
    context.out << Json::Object({{"nodes", NodesJson(response.nodes())}}).text() << '\n';
  } else {
    context.out << NodesTable(response.nodes()).Render(context.style);
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
