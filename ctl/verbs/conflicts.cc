// SPDX-License-Identifier: Apache-2.0
// zctl conflicts: files of this node that the other one's have overwritten, and that are kept
// aside.
#include <ostream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/verb.h"
#include "zcluster/v1/conflicts.grpc.pb.h"

namespace zcluster::ctl {
namespace {

Json ToJson(const v1::ListConflictsResponse& response) {
  std::vector<Json> list;
  for (const v1::Conflict& conflict : response.conflicts()) {
    list.push_back(
        Json::Object({{"id", Json::String(conflict.id())},
                      {"root", Json::String(conflict.root())},
                      {"term", Json::Number(conflict.term())},
                      {"files", Json::Strings({conflict.files().begin(), conflict.files().end()})},
                      {"left_out", Json::Number(conflict.left_out())}}));
  }
  return Json::Object({{"conflicts", Json::List(list)}});
}

void Show(Context& context, const v1::ListConflictsResponse& response) {
  if (response.conflicts().empty()) context.out << "nothing is kept aside on this node\n";
  for (const v1::Conflict& conflict : response.conflicts()) {
    context.out << Sanitise(absl::StrCat(conflict.id(), "  ", conflict.root(),
                                         ", overwritten by the master of term ", conflict.term()))
                << "\n";
    for (const std::string& file : conflict.files()) context.out << "  " << Sanitise(file) << "\n";
    if (conflict.left_out() > 0)
      context.out << "  and " << conflict.left_out() << " that were too many or too large: lost\n";
  }
}

}  // namespace

ExitCode Conflicts(Context& context) {
  if (!context.Value("--drop").empty()) {
    v1::DropConflictRequest request;
    request.set_id(context.Value("--drop"));
    v1::DropConflictResponse response;
    const absl::Status dropped =
        Ask(context, [&](const Channel& channel, grpc::ClientContext* call) {
          return v1::ConflictService::NewStub(channel)->Drop(call, request, &response);
        });
    if (!dropped.ok()) return Fail(context, dropped);
  }
  v1::ListConflictsResponse response;
  const absl::Status listed = Ask(context, [&](const Channel& channel, grpc::ClientContext* call) {
    return v1::ConflictService::NewStub(channel)->List(call, v1::ListConflictsRequest(), &response);
  });
  if (!listed.ok()) return Fail(context, listed);
  if (ForPrograms(context)) {
    Print(context, ToJson(response));
  } else {
    Show(context, response);
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
