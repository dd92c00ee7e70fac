// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/loop.h"
#include "common/token.h"
#include "zcluster/v1/bootstrap.pb.h"

// How a node that is in no pair is joined to one: the port where it takes joins, and the call that
// the future master makes there. Decides who is let in, and nothing of what is done then.
namespace zcluster::bootstrap {

// What a join does on the node that is joined. Loop thread.
class JoinHandler {
 public:
  using Reply = std::function<void(absl::StatusOr<v1::JoinReply>)>;  // once, on the loop
  virtual ~JoinHandler() = default;
  // Somebody was admitted, from `address`. An error refuses it. At most one at a time is begun.
  virtual absl::Status Begin(const std::string& address) = 0;
  // One message after the admission; the next comes after the reply. An error ends the stream.
  virtual void Carry(const v1::JoinRequest& request, Reply reply) = 0;
  // The stream ended, for whatever reason. Once for each Begin() that was OK; no reply that is
  // still owed is wanted any more.
  virtual void End() = 0;
};

struct Options {
  std::string listen;     // ADDRESS:PORT
  std::string state_dir;  // for the bootstrap key, the token and the lock; made, mode 0700
  std::string version;    // of this program
  bool password = true;   // the root password may let a join in
  std::string pam_service = "zcluster";  // PAM's `other` if there is none of that name
};

// The node's side. Loop thread.
class Bootstrap {
 public:
  // Makes the key if there is none. `handler` and `loop` outlive this object.
  static absl::StatusOr<std::unique_ptr<Bootstrap>> Make(Loop& loop, Options options,
                                                         JoinHandler& handler);
  virtual ~Bootstrap() = default;

  // Takes joins from now on. The error says why it cannot listen.
  virtual absl::Status Open() = 0;
  // Takes no join any more; one under way goes on to its end. Never waits.
  virtual void Close() = 0;
  // Where it listens; 0 when it does not.
  virtual int port() const = 0;

  // A new token, in place of an older one. Kept as a hash; ends at its first use, at expiry, after
  // five wrong tries. OUT_OF_RANGE says which lifetimes there are.
  virtual absl::StatusOr<v1::TokenResponse> Token(absl::Duration lifetime) = 0;
  virtual std::string Fingerprint() const = 0;
  // Allows joins again after five wrong passwords.
  virtual absl::Status Unlock() = 0;
};

// What a join token says; INVALID_ARGUMENT for what is none ("mistyped?").
using token::Token;
inline absl::StatusOr<Token> ParseToken(const std::string& text) {
  return token::Parse(token::Kind::kJoin, text);
}

// The caller's side: a join under way. Loop thread.
class Join {
 public:
  struct To {
    std::string address;      // ADDRESS:PORT
    std::string fingerprint;  // that the node's key must have
  };
  // Connects, and demands the fingerprint before a word is said. Nothing is sent to anybody else:
  // UNAUTHENTICATED names both fingerprints.
  static std::unique_ptr<Join> Dial(Loop& loop, const To& to);
  virtual ~Join() = default;  // ends the stream

  using Reply = std::function<void(absl::StatusOr<v1::JoinReply>)>;  // once, on the loop
  // Shows the token's proof, or the password; both are wiped. The reply to all is the node's word
  // or why there is none: UNAVAILABLE, DEADLINE_EXCEEDED after `limit`, or what the node refused
  // with. After an error nothing more can be asked.
  virtual void Admit(std::string token_secret, std::string password, absl::Duration limit,
                     Reply reply) = 0;
  // The next message; one at a time.
  virtual void Ask(const v1::JoinRequest& request, absl::Duration limit, Reply reply) = 0;
};

// The fingerprint of whoever answers at `address`, to whom nothing is told. On the loop;
// UNAVAILABLE says why nobody does, within five seconds.
void Probe(Loop& loop, const std::string& address,
           std::function<void(absl::StatusOr<std::string>)> answer);

}  // namespace zcluster::bootstrap
