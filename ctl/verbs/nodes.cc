// SPDX-License-Identifier: Apache-2.0
// zctl nodes, reload: one line for each node, as known or asked afresh.
#include <ostream>

#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

ExitCode Show(Context& context, const v1::NodesResponse& response, Ages ages) {
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"nodes", NodesJson(response.nodes(), ages)}}));
  } else {
    context.out << NodesTable(response.nodes(), ages).Render(context.style);
  }
  return ExitCode::kOk;
}

}  // namespace

ExitCode Nodes(Context& context) {
  v1::NodesResponse response;
  const absl::Status status =
      Ask(context, [&response](const Channel& channel, grpc::ClientContext* call) {
        return v1::ClusterService::NewStub(channel)->Nodes(call, v1::NodesRequest(), &response);
      });
  return status.ok() ? Show(context, response, Ages::kHidden) : Fail(context, status);
}

ExitCode Reload(Context& context) {
  v1::NodesResponse response;
  const absl::Status status =
      Ask(context, [&response](const Channel& channel, grpc::ClientContext* call) {
        return v1::ClusterService::NewStub(channel)->Reload(call, v1::ReloadRequest(), &response);
      });
  return status.ok() ? Show(context, response, Ages::kShown) : Fail(context, status);
}

}  // namespace zcluster::ctl
