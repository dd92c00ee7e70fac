// SPDX-License-Identifier: Apache-2.0
// zctl run: a command of the catalogue, on the master and then on the backup.
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "ctl/output/json.h"
#include "ctl/output/table.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/follow_run.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/command.grpc.pb.h"

namespace zcluster::ctl {
namespace {

ExitCode ListCommands(Context& context) {
  v1::ListCommandsResponse response;
  const absl::Status status = Ask(context, [&response](const Channel& channel,
                                                       grpc::ClientContext* call) {
    return v1::CommandService::NewStub(channel)->List(call, v1::ListCommandsRequest(), &response);
  });
  if (!status.ok()) return Fail(context, status);
  Table table({"NAME", "ARGUMENTS", "SUMMARY"});
  std::vector<Json> list;
  for (const v1::CommandInfo& command : response.commands()) {
    const std::vector<std::string> names(command.arguments().begin(), command.arguments().end());
    table.Add({command.name(),
               absl::StrJoin(names, " ",
                             [](std::string* out, const std::string& name) {
                               absl::StrAppend(out, name, "=...");
                             }),
               command.summary()});
    list.push_back(Json::Object({{"name", Json::String(command.name())},
                                 {"summary", Json::String(command.summary())},
                                 {"arguments", Json::Strings(names)}}));
  }
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"commands", Json::List(list)}}));
  } else if (list.empty()) {
    context.out << "the catalogue is empty (`commands` in pair.yaml)\n";
  } else {
    context.out << table.Render(context.style);
  }
  return ExitCode::kOk;
}

}  // namespace

ExitCode Run(Context& context) {
  if (context.words.empty()) return ListCommands(context);
  const auto request = MakeRunRequest(context.words, 0);
  if (!request.ok()) return Fail(context, request.status());
  const auto channel = Reach(context);
  if (!channel.ok()) return Fail(context, channel.status());
  Ran ran = FollowRun(context, "", [&request](const Channel& to, grpc::ClientContext* call) {
    return v1::CommandService::NewStub(to)->Run(call, *request);
  });
  if (ForPrograms(context) && (ran.end.ok() || ran.told)) {
    Print(context, Json::Object({{"results", std::move(ran.results)}}));
  }
  if (!ran.end.ok()) return Fail(context, ran.end);
  return ran.succeeded ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace zcluster::ctl
