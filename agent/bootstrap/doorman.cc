// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/doorman.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::bootstrap {
namespace {

// Without the zero bytes that its sender has filled it up with.
Secret TakePassword(v1::Admission& admission) {
  Secret password(admission.release_password());
  if (password == nullptr) password.reset(new std::string);
  const size_t size = password->find('\0');
  if (size != std::string::npos) password->resize(size);
  return password;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Doorman>> Doorman::Make(Loop& loop, const Options& options) {
  ZC_ASSIGN_OR_RETURN(TokenBook tokens, TokenBook::Open(options.state_dir + "/token"));
  ZC_ASSIGN_OR_RETURN(PasswordTries tries,
                      PasswordTries::Open(options.state_dir + "/password_tries"));
  return absl::WrapUnique(new Doorman(loop, options, std::move(tokens), std::move(tries)));
}

void Doorman::Judge(v1::Admission& admission, const token::Session& session,
                    const std::string& from, Verdict verdict) {
  switch (admission.proof_case()) {
    case v1::Admission::kTokenProof:
      return verdict(tokens_.Use(admission.token_proof(), session, absl::Now()));
    case v1::Admission::kPassword:
      return CheckPassword(TakePassword(admission), from, std::move(verdict));
    case v1::Admission::PROOF_NOT_SET:
      break;
  }
  verdict(absl::UnauthenticatedError("neither a token nor a password was shown"));
}

void Doorman::CheckPassword(Secret password, const std::string& from, Verdict verdict) {
  if (!takes_password_) {
    return verdict(absl::UnauthenticatedError(
        "that node takes no password (bootstrap.password: false in its agent.yaml); use a token: "
        "`zctl node token` there prints one"));
  }
  if (root_.busy()) {
    return verdict(absl::UnavailableError(
        "that node is checking another password; try again in a few seconds"));
  }
  if (absl::Status taken = tries_.Take(); !taken.ok()) return verdict(taken);
  root_.Check(std::move(password), from,
              [this, from, verdict = std::move(verdict)](const absl::Status& heard) {
                const absl::Status status = Weigh(heard);
                // At most five times until somebody on this node unlocks it.
                if (!status.ok()) {
                  log::Warning("join_password_refused",
                               {{"from", from}, {"reason", std::string(status.message())}});
                }
                verdict(status);
              });
}

absl::Status Doorman::Weigh(const absl::Status& heard) {
  if (heard.ok()) {
    if (const absl::Status cleared = tries_.Clear(); !cleared.ok()) {
      log::Warning("join_tries_not_cleared", {{"problem", std::string(cleared.message())}});
    }
    return absl::OkStatus();
  }
  const std::string left = tries_.left() > 0
                               ? absl::StrCat("tries left: ", tries_.left())
                               : "no try is left: it is locked; on that node: zctl node unlock";
  if (absl::IsPermissionDenied(heard)) {
    return absl::UnauthenticatedError(
        absl::StrCat("the root password is wrong, or root has none there (", left, ")"));
  }
  return absl::UnauthenticatedError(
      absl::StrCat("PAM on that node lets root not in: ", heard.message(), " (", left,
                   "); use a token: `zctl node token` there"));
}

}  // namespace zcluster::bootstrap
