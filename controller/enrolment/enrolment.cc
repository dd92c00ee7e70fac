// SPDX-License-Identifier: Apache-2.0
#include "controller/enrolment/enrolment.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>
#include <openssl/rand.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/access/guard.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/token.h"
#include "controller/core/names.h"
#include "controller/enrolment/calls.h"
#include "controller/enrolment/proof.h"
#include "controller/enrolment/wrong_tries.h"

namespace zcluster::controller {
namespace {

constexpr absl::Duration kShortestLife = absl::Seconds(10);
constexpr absl::Duration kLongestLife = absl::Hours(720);
// gRPC's time to send the last answers.
constexpr absl::Duration kParting = absl::Seconds(1);

absl::StatusOr<std::string> MakeSecret() {
  std::string secret(token::kSecretBytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()),
                 static_cast<int>(secret.size())) != 1) {
    return absl::InternalError("the system gives no random numbers for a token");
  }
  return secret;
}

class EnrolmentPort final : public Enrolment {
 public:
  EnrolmentPort(Loop& loop, std::string fingerprint, Books& books, AuditTrail& audit)
      : books_(books),
        audit_(audit),
        fingerprint_(std::move(fingerprint)),
        gate_(std::make_shared<EnrolGate>(
            loop,
            [this](EnrolCall call, EnrolDone done) { Enrol(std::move(call), std::move(done)); })),
        service_(MakeEnrolService(gate_)) {}
  ~EnrolmentPort() override {
    gate_->Shut();
    if (server_ != nullptr) server_->Shutdown(absl::ToChronoTime(absl::Now() + kParting));
  }

  absl::Status Listen(const Options& options) {
    ZC_ASSIGN_OR_RETURN(server_, StartEnrolServer(*service_, options.listen, options.own, port_));
    return absl::OkStatus();
  }
  int port() const override { return port_; }
  void MakeToken(Wanted wanted, std::function<void(absl::StatusOr<Made>)> done) override;

 private:
  void Enrol(EnrolCall call, EnrolDone done);
  absl::StatusOr<Candidate> Judge(const EnrolCall& call, const TokenRecord& token) const;
  absl::StatusOr<TokenRecord> Admit(const EnrolCall& call);
  absl::StatusOr<TokenRecord> NewToken(const Wanted& wanted, std::string& text) const;

  Books& books_;
  AuditTrail& audit_;
  const std::string fingerprint_;
  WrongTries wrong_tries_;
  const std::shared_ptr<EnrolGate> gate_;
  const std::unique_ptr<grpc::Service> service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

// The audit's line for a call of whoever has proved to hold a token.
v1::AuditEntry EntryOf(const EnrolCall& call) {
  v1::AuditEntry entry;
  entry.set_who("the holder of a token");
  entry.set_from(call.from);
  entry.set_what(absl::StrCat("zcluster.v1.EnrolmentService/Enrol pair=", call.request.pair(),
                              " node=", call.request.node(), " key=", call.caller_key));
  return entry;
}

std::string ResultOf(const absl::Status& status) {
  if (status.ok()) return "OK";
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
}

// The token that the caller has proved to hold; whether it is still good is another question.
absl::StatusOr<TokenRecord> EnrolmentPort::Admit(const EnrolCall& call) {
  const absl::Time now = Loop::Now();
  ZC_RETURN_IF_ERROR(wrong_tries_.MayTry(call.from, now));
  const std::vector<TokenRecord> tokens = books_.Tokens();
  const TokenRecord* const token =
      FindToken(tokens, call.request.token_proof(), {fingerprint_, call.caller_key});
  if (token != nullptr) return *token;
  wrong_tries_.Count(call.from, now);
  return absl::UnauthenticatedError(
      "the token is not one of this controller's; make one there: zctl fleet token");
}

absl::StatusOr<Candidate> EnrolmentPort::Judge(const EnrolCall& call,
                                               const TokenRecord& token) const {
  const v1::EnrolRequest& request = call.request;
  ZC_RETURN_IF_ERROR(CheckLife(token, absl::Now()));
  Candidate candidate;
  ZC_ASSIGN_OR_RETURN(candidate.ca_key, CheckMember(request, call.caller_key));
  candidate.token_hash = token.hash;
  candidate.id = {token.pair.empty() ? request.pair() : token.pair, request.node()};
  candidate.key = call.caller_key;
  candidate.request = request.request();
  candidate.version = request.version();
  candidate.from = call.from;
  return candidate;
}

void EnrolmentPort::Enrol(EnrolCall call, EnrolDone done) {
  const absl::StatusOr<TokenRecord> token = Admit(call);
  if (!token.ok()) return done(token.status());
  // From here on it is somebody whom an operator gave a token.
  const auto audited = [&audit = audit_, entry = EntryOf(call),
                        done = std::move(done)](absl::StatusOr<v1::EnrolResponse> response) {
    v1::AuditEntry kept = entry;
    kept.set_result(ResultOf(response.status()));
    audit.Append(std::move(kept));
    done(std::move(response));
  };
  absl::StatusOr<Candidate> candidate = Judge(call, *token);
  if (!candidate.ok()) return audited(candidate.status());
  books_.Enrol(*std::move(candidate), audited);
}

absl::StatusOr<TokenRecord> EnrolmentPort::NewToken(const Wanted& wanted, std::string& text) const {
  if (wanted.lifetime < kShortestLife || wanted.lifetime > kLongestLife) {
    return absl::OutOfRangeError(absl::StrCat("lifetime: a token can live for 10s to 720h, not ",
                                              absl::FormatDuration(wanted.lifetime)));
  }
  if (!wanted.pair.empty()) ZC_RETURN_IF_ERROR(Annotate(CheckPairName(wanted.pair), "pair"));
  ZC_RETURN_IF_ERROR(Annotate(CheckLabels(wanted.labels), "labels"));
  ZC_ASSIGN_OR_RETURN(std::string secret, MakeSecret());
  TokenRecord token;
  token.hash = token::HashOf(secret);
  token.pair = wanted.pair;
  token.labels = wanted.labels;
  token.made = absl::Now();
  token.expires = token.made + wanted.lifetime;
  text = token::Format(token::Kind::kEnrolment, fingerprint_, secret);
  pki::Wipe(secret);
  return token;
}

void EnrolmentPort::MakeToken(Wanted wanted, std::function<void(absl::StatusOr<Made>)> done) {
  Made made;
  absl::StatusOr<TokenRecord> token = NewToken(wanted, made.token);
  if (!token.ok()) return done(token.status());
  made.expires = token->expires;
  books_.Keep(*std::move(token), [made, done = std::move(done)](const absl::Status& kept) {
    if (!kept.ok()) return done(kept);
    done(made);
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<Enrolment>> Enrolment::Start(Loop& loop, Options options,
                                                            Books& books, AuditTrail& audit) {
  auto port = std::make_unique<EnrolmentPort>(loop, options.own.fingerprint, books, audit);
  ZC_RETURN_IF_ERROR(port->Listen(options));
  return port;
}

}  // namespace zcluster::controller
