// SPDX-License-Identifier: Apache-2.0
// zctl readiness: each precondition of a failover, and whether all are met.
#include <ostream>

#include "ctl/verbs/agent.h"
#include "ctl/verbs/pair_view.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {

ExitCode Readiness(Context& context) {
  v1::GetStatusResponse reply;
  const absl::Status status = Ask(context, [&reply](const Channel& channel,
                                                    grpc::ClientContext* call) {
    return v1::ClusterService::NewStub(channel)->GetStatus(call, v1::GetStatusRequest(), &reply);
  });
  if (!status.ok()) return Fail(context, status);
  if (ForPrograms(context)) {
    Print(context,
          Json::Object(
              {{"ready", Json::Bool(reply.ready())},
               {"not_ready", Json::Strings({reply.not_ready().begin(), reply.not_ready().end()})},
               {"readiness", PreconditionsJson(reply)}}));
  } else if (reply.readiness().empty()) {
    // An older agent, or one that is in no pair or only just starts, tells the reasons alone.
    context.out << ReadinessText(reply, context.style);
  } else {
    context.out << context.style.Paint(reply.ready() ? Colour::kGreen : Colour::kRed,
                                       reply.ready() ? "READY" : "NOT READY")
                << (reply.ready() ? ": a failover right now would succeed\n" : "\n")
                << PreconditionsText(reply, context.style);
  }
  return reply.ready() ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace zcluster::ctl
