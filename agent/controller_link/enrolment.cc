// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/enrolment.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/controller_link/fleet_identity.h"
#include "agent/controller_link/token_file.h"
#include "common/digest.h"
#include "common/file.h"
#include "common/identity.h"
#include "common/loop.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/token.h"

namespace zcluster::controller_link {
namespace {

constexpr size_t kMaxPem = 64 << 10;
constexpr absl::Duration kSoonest = absl::Seconds(1);
constexpr absl::Duration kLatest = absl::Minutes(5);
// Stands in the request, which must name something; the controller does not look at it.
constexpr char kNoFleet[] = "fleet";

// What one session says; its key is that session's.
absl::StatusOr<v1::EnrolRequest> MakeRequest(const Options& options, const token::Token& token,
                                             const tls::Credential& own) {
  v1::EnrolRequest request;
  request.set_token_proof(token::ProofOf(token::Kind::kEnrolment, token::HashOf(token.secret),
                                         {token.fingerprint, own.fingerprint}));
  ZC_ASSIGN_OR_RETURN(
      *request.mutable_request(),
      pki::MakeRequest(own.key, tls::AgentUri(kNoFleet, options.pair, options.node)));
  request.set_pair(options.pair);
  request.set_node(options.node);
  ZC_ASSIGN_OR_RETURN(*request.mutable_pair_ca(), ReadFile(options.pair_files.ca, kMaxPem));
  ZC_ASSIGN_OR_RETURN(*request.mutable_pair_certificate(),
                      ReadFile(options.pair_files.certificate, kMaxPem));
  ZC_ASSIGN_OR_RETURN(std::string key, ReadFile(options.pair_files.key, kMaxPem));
  absl::StatusOr<std::string> signature =
      pki::SignText(key, token::MemberText(request.token_proof()));
  pki::Wipe(key);
  if (!signature.ok()) return Annotate(signature.status(), options.pair_files.key);
  request.set_pair_signature(*std::move(signature));
  request.set_version(options.version);
  return request;
}

// Whether these words are about the token, which is then of no use any more.
bool IsAboutTheToken(const absl::Status& status) {
  return absl::IsUnauthenticated(status) || absl::IsInvalidArgument(status);
}

}  // namespace

// One try: the key of its sessions, and what is said on them.
struct Enrolment::Application {
  ~Application() {
    pki::Wipe(own.key);
    pki::Wipe(token.secret);
  }
  std::string digest;  // of the file's content
  token::Token token;
  tls::Credential own;
  v1::EnrolRequest request;
};

struct Enrolment::Prepared {
  Outcome outcome = {Result::kFailed, ""};  // if there is no application
  std::shared_ptr<Application> application = nullptr;
};

Enrolment::Enrolment(std::shared_ptr<Inlet> inlet, Disk& disk, const Options& options)
    : inlet_(std::move(inlet)), disk_(disk), options_(options), backoff_(kSoonest, kLatest) {}

Enrolment::~Enrolment() = default;

Enrolment::Prepared Enrolment::Prepare(const Options& options, const std::string& refused,
                                       const std::string& failed) {
  absl::StatusOr<std::string> text = ReadTokenFile(options.token_file);
  if (absl::IsNotFound(text.status())) {
    return {
        {Result::kNoToken, absl::StrCat("not enrolled: put the token of `zctl fleet token` into ",
                                        options.token_file)}};
  }
  if (!text.ok()) {
    return {{Result::kNoToken, absl::StrCat("not enrolled: ", text.status().message())}};
  }
  auto made = std::make_shared<Application>();
  made->digest = Sha256(*text);
  absl::StatusOr<token::Token> token = token::Parse(token::Kind::kEnrolment, *text);
  pki::Wipe(*text);
  if (made->digest == refused || made->digest == failed) return {{Result::kNotNow, ""}};
  if (!token.ok()) {
    return {{Result::kNoToken,
             absl::StrCat("not enrolled: ", options.token_file, ": ", token.status().message())}};
  }
  made->token = *std::move(token);
  absl::StatusOr<tls::Credential> own = tls::MakeCredential();
  absl::Status status = own.status();
  if (own.ok()) {
    made->own = *std::move(own);
    absl::StatusOr<v1::EnrolRequest> request = MakeRequest(options, made->token, made->own);
    status = request.status();
    if (request.ok()) made->request = *std::move(request);
  }
  if (!status.ok()) return {{Result::kFailed, absl::StrCat("not enrolled: ", status.message())}};
  return {.application = std::move(made)};
}

void Enrolment::Try(std::function<void(const Outcome&)> done) {
  if (done_ != nullptr) return;
  done_ = std::move(done);
  disk_.Do([this, options = options_, refused = refused_,
            failed = Loop::Now() < not_before_ ? failed_ : ""]() -> Disk::Then {
    return [this, prepared = Prepare(options, refused, failed)] {
      application_ = prepared.application;
      if (application_ == nullptr) return End(prepared.outcome);
      Ask(0);
    };
  });
}

void Enrolment::Ask(size_t address) {
  call_ = EnrolCall::Begin(
      inlet_, options_.enrolment[address], application_->own, application_->token.fingerprint,
      application_->request,
      [this, address](EnrolCall::Answer answer) { Heard(address, std::move(answer)); });
}

void Enrolment::Heard(size_t address, EnrolCall::Answer answer) {
  call_.reset();
  const absl::Status& why = answer.why.status;
  if (why.ok()) return Keep(std::move(answer.response));
  if (answer.why.reached && IsAboutTheToken(why)) {
    refused_ = application_->digest;
    return End({Result::kRefused, absl::StrCat("not enrolled: the controller says: ", why.message(),
                                               "; put a new token of `zctl fleet token` into ",
                                               options_.token_file)});
  }
  if (address + 1 < options_.enrolment.size()) return Ask(address + 1);
  End({Result::kFailed,
       absl::StrCat("not enrolled yet: ", answer.why.reached ? "the controller says: " : "",
                    why.message())});
}

// A crash before the end of this leaves the node not enrolled, and the token used: the operator
// makes another.
void Enrolment::Keep(v1::EnrolResponse response) {
  disk_.Do([this, response = std::move(response), application = application_,
            options = options_]() -> Disk::Then {
    identity::Identity issued{.certificate = response.certificate(),
                              .key = application->own.key,
                              .ca = response.ca_certificate(),
                              .ca_key = ""};
    absl::Status status = CheckIssued(issued, options.node).status();
    if (status.ok()) status = identity::Install(options.directory, issued);
    pki::Wipe(issued.key);
    return [this, status] {
      refused_ = application_->digest;  // used
      if (status.ok()) return End({Result::kEnrolled, ""});
      End({Result::kRefused,
           absl::StrCat("not enrolled: ", status.message(),
                        "; the token is used: put a new one of `zctl fleet token` into ",
                        options_.token_file)});
    };
  });
}

void Enrolment::End(Outcome outcome) {
  if (outcome.result == Result::kFailed) {
    failed_ = application_ == nullptr ? "" : application_->digest;
    not_before_ = Loop::Now() + backoff_.Next();
  } else if (outcome.result != Result::kNotNow) {
    backoff_.Reset();
    not_before_ = absl::InfinitePast();
  }
  application_.reset();
  std::exchange(done_, nullptr)(outcome);
}

}  // namespace zcluster::controller_link
