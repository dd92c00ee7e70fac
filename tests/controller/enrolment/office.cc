// SPDX-License-Identifier: Apache-2.0
#include "tests/controller/enrolment/office.h"

#include <poll.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/tls.h"
#include "common/token.h"

namespace zcluster::controller {
namespace {

tls::Credential MakeOwn() {
  tls::RequireTls13();
  return *tls::MakeCredential();
}

}  // namespace

TestPair::Member TestPair::Issue(const std::string& node, absl::Duration lifetime) const {
  Member member;
  member.key = *pki::MakeKey();
  const std::string uri = tls::NodeUri(name, node);
  member.certificate = *pki::Sign(*pki::MakeRequest(member.key, uri), ca, key, {uri, lifetime});
  return member;
}

TestNode::TestNode(int port)
    : channel_([&] {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port),
                                         tls::KeyedClientCredentials(own_, nullptr), arguments);
      }()) {}

v1::EnrolRequest TestNode::Ask(const std::string& token, const TestPair& pair,
                               const std::string& node) const {
  const token::Token parsed = *token::Parse(token::Kind::kEnrolment, token);
  const TestPair::Member member = pair.Issue(node);
  v1::EnrolRequest request;
  request.set_token_proof(token::ProofOf(token::Kind::kEnrolment, token::HashOf(parsed.secret),
                                         {parsed.fingerprint, own_.fingerprint}));
  request.set_request(*pki::MakeRequest(own_.key, "zcluster://whatever"));
  request.set_pair(pair.name);
  request.set_node(node);
  request.set_pair_ca(pair.ca);
  request.set_pair_certificate(member.certificate);
  request.set_pair_signature(*pki::SignText(member.key, token::MemberText(request.token_proof())));
  request.set_version("1.0");
  return request;
}

grpc::Status TestNode::Say(const v1::EnrolRequest& request) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kSoon));
  return v1::EnrolmentService::NewStub(channel_)->Enrol(&context, request, &response_);
}

std::vector<TokenRecord> TestBooks::Tokens() const {
  std::vector<TokenRecord> all;
  for (const auto& [hash, token] : tokens) all.push_back(token);
  return all;
}

void TestBooks::Keep(TokenRecord token, std::function<void(const absl::Status&)> kept) {
  if (disk.ok()) tokens[token.hash] = token;
  kept(disk);
}

void TestBooks::Enrol(Candidate candidate,
                      std::function<void(absl::StatusOr<v1::EnrolResponse>)> done) {
  const auto answer = [this, candidate, done]() {
    if (!disk.ok()) return done(disk);
    const auto [known, fresh] = ca_keys.try_emplace(candidate.id.pair, candidate.ca_key);
    if (known->second != candidate.ca_key) {
      return done(absl::AlreadyExistsError("another pair has that name"));
    }
    tokens[candidate.token_hash].ended = absl::StrCat("was used by ", candidate.id.Name());
    enrolled.push_back(candidate);
    v1::EnrolResponse response;
    response.set_pair(candidate.id.pair);
    response.set_fleet("fleet");
    done(response);
  };
  if (owes) {
    owed.push_back(answer);
  } else {
    answer();
  }
}

void TestAudit::Append(v1::AuditEntry entry) {
  absl::MutexLock lock(&mutex_);
  lines_.push_back(absl::StrCat(entry.from(), " | ", entry.what(), " | ", entry.result()));
}

std::vector<std::string> TestAudit::Lines() {
  absl::MutexLock lock(&mutex_);
  return lines_;
}

Office::Office() : own_(MakeOwn()) {
  loop_.Do([&] {
    auto started =
        Enrolment::Start(loop_.loop(), {.listen = "127.0.0.1:0", .own = own_}, books_, audit_);
    ZC_CHECK(started.ok());
    enrolment_ = *std::move(started);
    port_ = enrolment_->port();
  });
}

Office::~Office() { Stop(); }

void Office::Do(const std::function<void(Enrolment&, TestBooks&)>& task) {
  loop_.Do([&] { task(*enrolment_, books_); });
}

absl::StatusOr<Enrolment::Made> Office::Make(Enrolment::Wanted wanted) {
  absl::StatusOr<Enrolment::Made> result = absl::UnknownError("no answer");
  Do([&](Enrolment& enrolment, TestBooks&) {
    enrolment.MakeToken(wanted, [&](absl::StatusOr<Enrolment::Made> made) { result = made; });
  });
  return result;
}

std::string Office::Token(const std::string& pair, absl::Duration lifetime) {
  return Make({.pair = pair, .labels = {}, .lifetime = lifetime})->token;
}

void Office::ChangeTokens(const std::function<void(TokenRecord&)>& change) {
  Do([&](Enrolment&, TestBooks& books) {
    for (auto& [hash, token] : books.tokens) change(token);
  });
}

std::vector<Candidate> Office::Enrolled() {
  std::vector<Candidate> enrolled;
  Do([&](Enrolment&, TestBooks& books) { enrolled = books.enrolled; });
  return enrolled;
}

bool Office::Waits(const std::function<bool(TestBooks&)>& condition) {
  const absl::Time deadline = absl::Now() + kSoon;
  bool met = false;
  while (!met && absl::Now() < deadline) {
    loop_.Do([&] { met = condition(books_); });
    if (!met) ::poll(nullptr, 0, 5);  // looks again, without keeping a core busy
  }
  return met;
}

absl::Duration Office::Stop() {
  const absl::Time began = absl::Now();
  loop_.Do([&] { enrolment_.reset(); });
  return absl::Now() - began;
}

}  // namespace zcluster::controller
