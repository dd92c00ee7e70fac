// SPDX-License-Identifier: Apache-2.0
// zctl fleet token: lets one node into the fleet.
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/pki.h"
#include "common/status.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/fleet.grpc.pb.h"

namespace zcluster::ctl {
namespace {

absl::StatusOr<v1::FleetTokenRequest> MakeRequest(const Context& context) {
  v1::FleetTokenRequest request;
  request.set_pair(context.Value("--pair"));
  for (const std::string& label : context.Values("--label")) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--label: '", label, "' is not KEY=VALUE, such as env=prod"));
    }
    const std::string key = label.substr(0, equals);
    if (!request.mutable_labels()->insert({key, label.substr(equals + 1)}).second) {
      return absl::InvalidArgumentError(absl::StrCat("--label: '", key, "' is given twice"));
    }
  }
  if (context.Given("--lifetime")) {
    ZC_ASSIGN_OR_RETURN(const absl::Duration lifetime, DurationOf(context, "--lifetime"));
    *request.mutable_lifetime() = ToProto(lifetime);
  }
  return request;
}

// What is to be done with it, beside the token itself.
void Tell(Context& context, absl::Time expires) {
  context.err << context.program.name << ": enrols one node, until " << Date(expires) << " (in "
              << Short(expires - absl::Now())
              << "). There:\n"
                 "  put it into /etc/zcluster/controller.token (mode 0600),\n"
                 "  name the controller in /etc/zcluster/agent.yaml:\n"
                 "    controller:\n"
                 "      addresses: [\"CONTROLLER:7800\"]\n"
                 "      allow: OPERATOR   # the most that this fleet's operators may do there; "
                 "VIEWER unless given\n"
                 "  and restart zagent; traffic goes on meanwhile"
              << std::endl;
}

}  // namespace

ExitCode FleetToken(Context& context) {
  const auto request = MakeRequest(context);
  if (!request.ok()) return Fail(context, request.status());
  v1::FleetTokenResponse response;
  const absl::Status status =
      Ask(context, [&request, &response](const Channel& channel, grpc::ClientContext* call) {
        return v1::FleetService::NewStub(channel)->Token(call, *request, &response);
      });
  if (!status.ok()) return Fail(context, status);
  const absl::Time expires = ToAbsl(response.expires());
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"token", Json::String(response.token())},
                                 {"expires", Json::Time(expires)}}));
  } else {
    Tell(context, expires);
    context.out << Sanitise(response.token()) << '\n';
  }
  pki::Wipe(*response.mutable_token());
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
