// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/bootstrap/password_tries.h"
#include "agent/bootstrap/root_password.h"
#include "agent/bootstrap/token_book.h"
#include "common/token.h"

namespace zcluster::bootstrap {

// Who is let in: the one place that decides it. Loop thread.
class Doorman {
 public:
  using Verdict = std::function<void(const absl::Status&)>;  // once, on the loop; perhaps at once

  // Reads STATE_DIR/token and STATE_DIR/password_tries.
  static absl::StatusOr<std::unique_ptr<Doorman>> Make(Loop& loop, const Options& options);

  // UNAUTHENTICATED: not let in, and why, in words that tell a stranger no more than that;
  // RESOURCE_EXHAUSTED: no password is looked at any more. A password is taken out of `admission`.
  void Judge(v1::Admission& admission, const token::Session& session, const std::string& from,
             Verdict verdict);

  absl::StatusOr<std::string> MakeToken(absl::Duration lifetime, absl::Time now) {
    return tokens_.Make(lifetime, now);
  }
  absl::Status Unlock() { return tries_.Clear(); }

 private:
  Doorman(Loop& loop, const Options& options, TokenBook tokens, PasswordTries tries)
      : takes_password_(options.password),
        tokens_(std::move(tokens)),
        tries_(std::move(tries)),
        root_(loop, options.pam_service) {}
  void CheckPassword(Secret password, const std::string& from, Verdict verdict);
  absl::Status Weigh(const absl::Status& heard);

  const bool takes_password_;
  TokenBook tokens_;
  PasswordTries tries_;
  RootPassword root_;
};

}  // namespace zcluster::bootstrap
