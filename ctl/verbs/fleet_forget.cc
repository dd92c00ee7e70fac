// SPDX-License-Identifier: Apache-2.0
// zctl fleet forget: lets a pair, or a node of it, in no longer.
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status.h"
#include "ctl/output/utf8.h"
#include "ctl/terminal/prompt.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/fleet_pairs.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

// What is to be confirmed: who it is about, and what it ends.
absl::StatusOr<std::string> Question(Context& context, const v1::ForgetPairRequest& request) {
  v1::ShowPairRequest show;
  show.set_pair(request.pair());
  v1::ShowPairResponse reply;
  ZC_RETURN_IF_ERROR(
      Ask(context, [&show, &reply](const Channel& channel, grpc::ClientContext* call) {
        return v1::FleetService::NewStub(channel)->Show(call, show, &reply);
      }));
  if (!request.node().empty()) {
    return Sanitise(absl::StrCat("Forget the node ", request.node(), " of the pair ",
                                 request.pair(), "? It comes back by a new token only."));
  }
  std::vector<std::string> names;
  for (const auto& node : reply.summary().nodes()) names.push_back(node.name());
  return Sanitise(absl::StrCat("Forget the pair ", request.pair(), names.empty() ? "" : " of ",
                               absl::StrJoin(names, " and "),
                               "? Its nodes come back by new tokens only."));
}

absl::Status Confirm(Context& context, const v1::ForgetPairRequest& request) {
  Prompt prompt(context.in_fd, context.err);
  if (!prompt.IsTerminal()) {
    return absl::CancelledError(
        "this lets it into the fleet no longer, and needs --yes; nothing was done");
  }
  ZC_ASSIGN_OR_RETURN(const std::string question, Question(context, request));
  if (prompt.Confirm(question)) return absl::OkStatus();
  return absl::CancelledError("not confirmed; nothing was done");
}

absl::StatusOr<v1::ForgetPairRequest> MakeRequest(const std::string& word) {
  v1::ForgetPairRequest request;
  if (word.find('/') == std::string::npos) {
    request.set_pair(word);
    return request;
  }
  ZC_ASSIGN_OR_RETURN(const NodeOfPair node, ParseNodeOfPair(word));
  request.set_pair(node.pair);
  request.set_node(node.node);
  return request;
}

}  // namespace

ExitCode FleetForget(Context& context) {
  const auto request = MakeRequest(context.words[0]);
  if (!request.ok()) return Fail(context, request.status());
  if (!context.Has("--yes")) {
    const absl::Status confirmed = Confirm(context, *request);
    if (!confirmed.ok()) return Fail(context, confirmed);
  }
  v1::ForgetPairResponse response;
  const absl::Status status =
      Ask(context, [&request, &response](const Channel& channel, grpc::ClientContext* call) {
        return v1::FleetService::NewStub(channel)->Forget(call, *request, &response);
      });
  if (!status.ok()) return Fail(context, status);
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"forgotten", Json::String(context.words[0])}}));
  } else {
    context.out << Sanitise(context.words[0])
                << " is in the fleet no longer; the pair itself goes on\n";
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
