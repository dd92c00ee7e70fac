// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/admission.h"

#include <ostream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/pki.h"
#include "common/status.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/agent.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::ctl {
namespace {

constexpr int kTries = 3;

// The fingerprint that whoever answers at the other node's bootstrap port shows.
absl::StatusOr<std::string> Probe(Context& context, const v1::CreateRequest& request) {
  v1::ProbeRequest probe;
  probe.set_remote(request.bootstrap().empty() ? request.remote_ip() : request.bootstrap());
  v1::ProbeResponse response;
  ZC_RETURN_IF_ERROR(
      Ask(context, [&probe, &response](const Channel& channel, grpc::ClientContext* call) {
        return v1::ClusterService::NewStub(channel)->Probe(call, probe, &response);
      }));
  return response.fingerprint();
}

absl::Status CheckFingerprint(Context& context, const v1::CreateRequest& request) {
  ZC_ASSIGN_OR_RETURN(const std::string shown, Probe(context, request));
  if (shown == request.fingerprint()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("--fingerprint: another node answers at ", request.remote_ip(), ": its key is ",
                   shown, ", not ", request.fingerprint(),
                   "; nothing was told to it (`zctl node fingerprint` on the "
                   "other node prints its own)"));
}

absl::Status ConfirmFingerprint(Context& context, Prompt& prompt, v1::CreateRequest& request) {
  ZC_ASSIGN_OR_RETURN(const std::string shown, Probe(context, request));
  context.err << "The node at " << Sanitise(request.remote_ip()) << " shows the key\n  "
              << Sanitise(shown) << "\n`zctl node fingerprint` there prints its own.\n";
  if (!prompt.Confirm("Is it the same?")) {
    return absl::CancelledError("not confirmed; nothing was told to the other node");
  }
  request.set_fingerprint(shown);
  return absl::OkStatus();
}

absl::StatusOr<Secret> AskPasswordTwice(Context& context, Prompt& prompt,
                                        const std::string& remote) {
  for (int i = 0; i < kTries; ++i) {
    ZC_ASSIGN_OR_RETURN(Secret first,
                        prompt.Hidden(absl::StrCat("Root password of ", remote, ": ")));
    if (first.empty()) {
      context.err << "an empty password lets nobody in\n";
      continue;
    }
    ZC_ASSIGN_OR_RETURN(const Secret second, prompt.Hidden("The same again: "));
    if (first == second) return first;
    context.err << "the two differ\n";
  }
  return absl::CancelledError("no password was given; nothing was told to the other node");
}

absl::Status TakeToken(const Secret& token, v1::CreateRequest& request) {
  if (token.empty()) return absl::InvalidArgumentError("the join token is empty");
  request.mutable_token()->assign(token.text());
  return absl::OkStatus();
}

absl::Status TakePassword(const Secret& password, v1::CreateRequest& request) {
  if (password.empty()) return absl::InvalidArgumentError("the password is empty");
  request.mutable_password()->assign(password.text());
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckAdmission(const Context& context, const Prompt& prompt) {
  const bool token = context.Has("--token-stdin"), password = context.Has("--password-stdin");
  if (token && password) {
    return absl::InvalidArgumentError("--token-stdin and --password-stdin: keep one");
  }
  if (context.Given("--fingerprint") && !pki::IsFingerprint(context.Value("--fingerprint"))) {
    return absl::InvalidArgumentError(
        absl::StrCat("--fingerprint: '", context.Value("--fingerprint"),
                     "' is not one; `zctl node fingerprint` on the other node prints it: SHA256: "
                     "and 43 characters"));
  }
  if (prompt.IsTerminal()) return absl::OkStatus();
  if (!token && !password) {
    return absl::InvalidArgumentError(
        "standard input is no terminal: --token-stdin or --password-stdin says what it holds");
  }
  if (password && !context.Given("--fingerprint")) {
    return absl::InvalidArgumentError(
        "--password-stdin needs --fingerprint: a password goes to no node that is not known "
        "(`zctl node fingerprint` on the other node prints it)");
  }
  return absl::OkStatus();
}

absl::Status Admit(Context& context, Prompt& prompt, v1::CreateRequest& request) {
  request.set_fingerprint(context.Value("--fingerprint"));
  const std::string remote = Sanitise(request.remote_ip());
  if (!request.fingerprint().empty()) ZC_RETURN_IF_ERROR(CheckFingerprint(context, request));
  if (context.Has("--token-stdin")) {
    ZC_ASSIGN_OR_RETURN(const Secret token, prompt.Hidden("Join token: "));
    return TakeToken(token, request);
  }
  if (!context.Has("--password-stdin")) {
    ZC_ASSIGN_OR_RETURN(const Secret token,
                        prompt.Hidden(absl::StrCat("Join token, from `zctl node token` on ", remote,
                                                   " (empty: use its root password): ")));
    if (!token.empty()) return TakeToken(token, request);
  }
  if (request.fingerprint().empty()) {
    ZC_RETURN_IF_ERROR(ConfirmFingerprint(context, prompt, request));
  }
  if (context.Has("--password-stdin")) {
    ZC_ASSIGN_OR_RETURN(const Secret password,
                        prompt.Hidden(absl::StrCat("Root password of ", remote, ": ")));
    return TakePassword(password, request);
  }
  ZC_ASSIGN_OR_RETURN(const Secret password, AskPasswordTwice(context, prompt, remote));
  return TakePassword(password, request);
}

void WipeAdmission(v1::CreateRequest& request) {
  if (request.admission_case() == v1::CreateRequest::kToken) pki::Wipe(*request.mutable_token());
  if (request.admission_case() == v1::CreateRequest::kPassword) {
    pki::Wipe(*request.mutable_password());
  }
}

}  // namespace zcluster::ctl
