// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/credential.h"
#include "common/loop.h"
#include "controller/core/ids.h"
#include "controller/store/records.h"
#include "zcluster/v1/enrolment.pb.h"

namespace zcluster {
class AuditTrail;
}  // namespace zcluster

namespace zcluster::controller {

// A node that may be enrolled: all that it said is proved and checked. What remains is for whoever
// keeps the fleet's books.
struct Candidate {
  std::string token_hash;
  AgentId id;           // as the fleet calls it: the token's pair, or else the node's own
  std::string key;      // fingerprint of the key that shall be certified
  std::string ca_key;   // fingerprint of the key of the pair's CA
  std::string request;  // PKCS#10, PEM
  std::string version;
  std::string from;  // address, without port
};

// The fleet's books, as enrolment needs them. Loop thread.
class Books {
 public:
  virtual ~Books() = default;
  // All tokens, those that ended not long ago too, so that their holders are told why. At most
  // 10,000.
  virtual std::vector<TokenRecord> Tokens() const = 0;
  // Keeps a token that was made. RESOURCE_EXHAUSTED: there are too many.
  virtual void Keep(TokenRecord token, std::function<void(const absl::Status&)> kept) = 0;
  // Enrols: the token is used, pair and agent are kept, all in one step, and the certificate is
  // given. ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAVAILABLE as EnrolmentService
  // has them.
  virtual void Enrol(Candidate candidate,
                     std::function<void(absl::StatusOr<v1::EnrolResponse>)> done) = 0;
};

// The port where nodes enrol: EnrolmentService, and the tokens. Strangers speak here: at most 64 at
// a time, 64 KiB each, five seconds for the handshake. Loop thread.
class Enrolment {
 public:
  struct Options {
    std::string listen;   // ADDRESS:PORT; port 0 lets the kernel choose
    tls::Credential own;  // the key whose fingerprint tokens carry
  };
  // Listens. The error names the address and why it cannot be had. Each enrolment, and each refusal
  // of whoever holds a token, is kept in `audit`. All three outlive this.
  static absl::StatusOr<std::unique_ptr<Enrolment>> Start(Loop& loop, Options options, Books& books,
                                                          AuditTrail& audit);
  // Answers all who wait (UNAVAILABLE), and waits for gRPC a moment.
  virtual ~Enrolment() = default;
  virtual int port() const = 0;

  // A new token as text, kept before it is given. OUT_OF_RANGE: a lifetime that is not 10 s to 720
  // h; INVALID_ARGUMENT names a bad pair or label.
  struct Wanted {
    std::string pair;
    std::map<std::string, std::string> labels;
    absl::Duration lifetime;
  };
  struct Made {
    std::string token;
    absl::Time expires;
  };
  virtual void MakeToken(Wanted wanted, std::function<void(absl::StatusOr<Made>)> done) = 0;
};

}  // namespace zcluster::controller
