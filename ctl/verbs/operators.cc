// SPDX-License-Identifier: Apache-2.0
// zctl operator list, operator revoke, audit: who may reach the pair, or the fleet, from
// elsewhere, and who did what.
#include <ostream>
#include <string>
#include <vector>

#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::ctl {
namespace {

constexpr uint32_t kMaxEntries = 10000;

ExitCode ShowOperators(Context& context, const v1::ListOperatorsResponse& response) {
  Table table({"NAME", "ROLE", "KEY"});
  std::vector<Json> list;
  for (const v1::PairConfig::Operator& who : response.operators()) {
    table.Add({who.name(), Word(who.role()), who.key()});
    list.push_back(Json::Object({{"name", Json::String(who.name())},
                                 {"role", Json::String(Word(who.role()))},
                                 {"key", Json::String(who.key())}}));
  }
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"operators", Json::List(std::move(list))}}));
  } else if (list.empty()) {
    context.out << "nobody reaches the " << Whole(context)
                << " from elsewhere (zctl operator add)\n";
  } else {
    context.out << table.Render(context.style);
  }
  return ExitCode::kOk;
}

ExitCode ShowAudit(Context& context, const v1::AuditResponse& response) {
  Table table({"AT", "WHO", "FROM", "RESULT", "WHAT"});
  std::vector<Json> list;
  for (const v1::AuditEntry& entry : response.entries()) {
    const absl::Time at = ToAbsl(entry.at());
    const bool good = entry.result() == "OK";
    table.Add({Date(at),
               entry.who(),
               entry.from(),
               {entry.result(), good ? Colour::kPlain : Colour::kRed},
               entry.what()});
    list.push_back(Json::Object({{"at", Json::Time(at)},
                                 {"who", Json::String(entry.who())},
                                 {"from", Json::String(entry.from())},
                                 {"what", Json::String(entry.what())},
                                 {"result", Json::String(entry.result())}}));
  }
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"entries", Json::List(std::move(list))}}));
  } else {
    context.out << table.Render(context.style);
  }
  return ExitCode::kOk;
}

}  // namespace

ExitCode OperatorList(Context& context) {
  v1::ListOperatorsResponse response;
  const absl::Status status = Ask(context, [&response](const Channel& channel,
                                                       grpc::ClientContext* call) {
    return v1::OperatorService::NewStub(channel)->List(call, v1::ListOperatorsRequest(), &response);
  });
  return status.ok() ? ShowOperators(context, response) : Fail(context, status);
}

ExitCode OperatorRevoke(Context& context) {
  v1::RevokeOperatorRequest request;
  request.set_name(context.words[0]);
  v1::RevokeOperatorResponse response;
  const absl::Status status =
      Ask(context, [&request, &response](const Channel& channel, grpc::ClientContext* call) {
        return v1::OperatorService::NewStub(channel)->Revoke(call, request, &response);
      });
  if (!status.ok()) return Fail(context, status, ExitCode::kConflict);
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"revoked", Json::String(request.name())}}));
  } else {
    context.out << "operator " << Sanitise(request.name())
                << " is admitted no longer; its open calls have ended\n";
  }
  return ExitCode::kOk;
}

ExitCode Audit(Context& context) {
  v1::AuditRequest request;
  if (context.Given("--limit")) {
    const auto limit = NumberOf(context, "--limit", 1, kMaxEntries);
    if (!limit.ok()) return Fail(context, limit.status());
    request.set_limit(*limit);
  }
  v1::AuditResponse response;
  const absl::Status status =
      Ask(context, [&request, &response](const Channel& channel, grpc::ClientContext* call) {
        return v1::OperatorService::NewStub(channel)->Audit(call, request, &response);
      });
  return status.ok() ? ShowAudit(context, response) : Fail(context, status);
}

}  // namespace zcluster::ctl
