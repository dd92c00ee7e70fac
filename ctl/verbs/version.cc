// SPDX-License-Identifier: Apache-2.0
// zctl version: of this program and of both agents.
#include <ostream>

#include "common/status.h"
#include "ctl/output/json.h"
#include "ctl/output/table.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

absl::StatusOr<v1::GetStatusResponse> AskAgent(Context& context) {
  v1::GetStatusResponse reply;
  ZC_RETURN_IF_ERROR(Ask(context, [&reply](const Channel& channel, grpc::ClientContext* call) {
    return v1::ClusterService::NewStub(channel)->GetStatus(call, v1::GetStatusRequest(), &reply);
  }));
  return reply;
}

}  // namespace

ExitCode Version(Context& context) {
  const auto reply = AskAgent(context);
  // Ours is shown even when no agent answers.
  const std::string agent = reply.ok() ? reply->version() : "";
  const std::string peer = reply.ok() ? reply->link().version() : "";
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"zctl", Json::String(context.program.version)},
                                 {"agent", Json::String(agent)},
                                 {"peer", Json::String(peer)}}));
  } else {
    Table table({});
    table.Add({"zctl", context.program.version});
    table.Add({"agent", agent.empty() ? "not known" : agent});
    table.Add({"peer's agent", peer.empty() ? "not known" : peer});
    context.out << table.Render(context.style);
  }
  return reply.ok() ? ExitCode::kOk : Fail(context, reply.status());
}

}  // namespace zcluster::ctl
