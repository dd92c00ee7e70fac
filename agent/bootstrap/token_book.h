// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/token.h"

namespace zcluster::bootstrap {

// The node's one token, and for a day the last one that ended: so that whoever comes with it is
// told why it is not good any more, and a stranger is not. Each change is on the disk before it
// counts. Times are of the wall clock, because a token outlives restarts. Loop thread.
class TokenBook {
 public:
  // `path` need not exist. FAILED_PRECONDITION for a file that is not ours.
  static absl::StatusOr<TokenBook> Open(std::string path);

  // A new secret of token::kSecretBytes, good for `lifetime`; an older one is not good any more.
  absl::StatusOr<std::string> Make(absl::Duration lifetime, absl::Time now);

  // OK for a good proof, once; the token is used then. Otherwise UNAUTHENTICATED and why: wrong,
  // expired, used already, replaced, none made. Five wrong proofs end the token.
  absl::Status Use(absl::string_view proof, const token::Session& session, absl::Time now);

 private:
  // Why a token is not good any more.
  enum class End { kUsed, kExpired, kReplaced, kWrongTries };
  struct Live {
    std::string hash;
    absl::Time expires;
    int wrong = 0;
  };
  struct Ended {
    std::string hash;
    absl::Time when;
    End how;
  };

  explicit TokenBook(std::string path) : path_(std::move(path)) {}
  bool Read(absl::string_view text);
  static absl::Status WhyEnded(End how);
  absl::Status Finish(End how, absl::Time now);
  absl::Status Write() const;

  std::string path_;
  absl::optional<Live> live_;
  absl::optional<Ended> ended_;
};

}  // namespace zcluster::bootstrap
