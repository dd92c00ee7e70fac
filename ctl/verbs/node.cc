// SPDX-License-Identifier: Apache-2.0
// zctl node token, fingerprint, unlock: how a node that is in no pair lets itself be joined.
#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/pki.h"
#include "ctl/output/figures.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "ctl/verbs/print.h"
#include "ctl/verbs/values.h"
#include "ctl/verbs/verb.h"
#include "ctl/verbs/words.h"
#include "zcluster/v1/bootstrap.grpc.pb.h"

namespace zcluster::ctl {

ExitCode NodeToken(Context& context) {
  v1::TokenRequest request;
  if (context.Given("--lifetime")) {
    const auto lifetime = DurationOf(context, "--lifetime");
    if (!lifetime.ok()) return Fail(context, lifetime.status());
    *request.mutable_lifetime() = ToProto(*lifetime);
  }
  v1::TokenResponse response;
  const absl::Status status =
      Ask(context, [&request, &response](const Channel& channel, grpc::ClientContext* call) {
        return v1::NodeService::NewStub(channel)->Token(call, request, &response);
      });
  if (!status.ok()) return Fail(context, status);
  const absl::Time expires = ToAbsl(response.expires());
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"token", Json::String(response.token())},
                                 {"expires", Json::Time(expires)}}));
  } else {
    context.err << context.program.name << ": admits one join, until " << Date(expires) << " (in "
                << Short(expires - absl::Now())
                << "); `zctl cluster create` on the other node asks for it" << std::endl;
    context.out << Sanitise(response.token()) << '\n';
  }
  pki::Wipe(*response.mutable_token());
  return ExitCode::kOk;
}

ExitCode NodeFingerprint(Context& context) {
  v1::FingerprintResponse response;
  const absl::Status status =
      Ask(context, [&response](const Channel& channel, grpc::ClientContext* call) {
        return v1::NodeService::NewStub(channel)->Fingerprint(call, v1::FingerprintRequest(),
                                                              &response);
      });
  if (!status.ok()) return Fail(context, status);
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"fingerprint", Json::String(response.fingerprint())}}));
  } else {
    context.out << Sanitise(response.fingerprint()) << '\n';
  }
  return ExitCode::kOk;
}

ExitCode NodeUnlock(Context& context) {
  v1::UnlockResponse response;
  const absl::Status status =
      Ask(context, [&response](const Channel& channel, grpc::ClientContext* call) {
        return v1::NodeService::NewStub(channel)->Unlock(call, v1::UnlockRequest(), &response);
      });
  if (!status.ok()) return Fail(context, status);
  if (ForPrograms(context)) {
    Print(context, Json::Object({{"unlocked", Json::Bool(true)}}));
  } else {
    context.out << "joins may be tried again\n";
  }
  return ExitCode::kOk;
}

}  // namespace zcluster::ctl
