// SPDX-License-Identifier: Apache-2.0
// zctl cluster unconfigure: gives both nodes back as they were before the pair was made.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"
#include "ctl/output/utf8.h"
#include "ctl/terminal/prompt.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/steps.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// What is to be confirmed: who it is about, and what ends.
std::string Question(const v1::DescribeResponse& reply, bool local) {
  std::vector<std::string> names;
  for (const auto& member : reply.members()) names.push_back(Sanitise(member.name()));
  const std::string pair = Sanitise(reply.config().name());
  if (local) {
    return absl::StrCat("Take ", names.empty() ? "this node" : names[0], " alone out of the pair ",
                        pair, ", without telling ", names.size() > 1 ? names[1] : "its peer", "?");
  }
  std::vector<std::string> vips;
  for (const auto& vip : reply.config().vips()) vips.push_back(Sanitise(vip.address()));
  return absl::StrCat(
      "End the pair ", pair, " of ", absl::StrJoin(names, " and "),
      vips.empty() ? ""
                   : absl::StrCat(", whose VIPs ", absl::StrJoin(vips, ", "), " then serve nobody"),
      "?");
}

absl::Status Confirm(Context& context, bool local) {
  Prompt prompt(context.in_fd, context.err);
  if (!prompt.IsTerminal()) {
    return absl::CancelledError("this ends the pair, and needs --yes; nothing was done");
  }
  v1::DescribeResponse reply;
  ZC_RETURN_IF_ERROR(Ask(context, [&reply](const Channel& channel, grpc::ClientContext* call) {
    return v1::ClusterService::NewStub(channel)->Describe(call, v1::DescribeRequest(), &reply);
  }));
  if (prompt.Confirm(Question(reply, local))) return absl::OkStatus();
  return absl::CancelledError("not confirmed; nothing was done");
}

}  // namespace

ExitCode ClusterUnconfigure(Context& context) {
  const bool local = context.Has("--local");
  if (!context.Has("--yes")) {
    const absl::Status confirmed = Confirm(context, local);
    if (!confirmed.ok()) return Fail(context, confirmed);
  }
  v1::UnconfigureRequest request;
  request.set_local(local);
  return FollowSteps(
      context,
      [&request](const Channel& channel, grpc::ClientContext* call) {
        return v1::ClusterService::NewStub(channel)->Unconfigure(call, request);
      },
      {.done = local ? "this node is in no pair any more" : "both nodes are as they were"});
}

}  // namespace zcluster::ctl
