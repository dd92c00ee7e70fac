// SPDX-License-Identifier: Apache-2.0
// How nodes get in and stay in: tokens, enrolment, new certificates.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/log.h"
#include "common/status.h"
#include "common/strings.h"
#include "common/tls.h"
#include "controller/core/names.h"
#include "controller/hub/hub.h"
#include "controller/hub/keys.h"

namespace zcluster::controller {
namespace {

constexpr size_t kMaxTokens = 10'000;
// A token that has ended is kept so long, so that whoever shows it is told why it is not good.
constexpr absl::Duration kTokenAfterlife = absl::Hours(24);
// A request for a P-256 key is some 500 bytes.
constexpr size_t kMaxRequest = 8 << 10;

void SetTime(absl::Time time, google::protobuf::Timestamp& proto) {
  proto.set_seconds(absl::ToUnixSeconds(time));
}

}  // namespace

std::vector<TokenRecord> Hub::Tokens() const {
  std::vector<TokenRecord> tokens;
  for (const auto& [hash, token] : ledger_.tokens()) tokens.push_back(token);
  return tokens;
}

void Hub::Keep(TokenRecord token, std::function<void(const absl::Status&)> kept) {
  ledger_.Transact([this, token = std::move(token)] { return DecideToken(token); },
                   std::move(kept));
}

absl::StatusOr<Hub::Changes> Hub::DecideToken(TokenRecord token) const {
  const absl::Time now = absl::Now();
  Changes changes;
  const TokenRecord* known = ledger_.FindToken(token.hash);
  if (known != nullptr) {
    // A copy from before it was used must not make it good again.
    if (!known->ended.empty()) token.ended = known->ended;
  } else {
    size_t left = ledger_.tokens().size();
    for (const auto& [hash, old] : ledger_.tokens()) {
      const bool over = old.expires + kTokenAfterlife < now;
      const bool in_the_way = left >= kMaxTokens && (!old.ended.empty() || old.expires < now);
      if (!over && !in_the_way) continue;
      changes.push_back(DropToken{hash});
      --left;
    }
    if (left >= kMaxTokens) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "there are ", kMaxTokens, " tokens that nobody has used yet; wait until some expire"));
    }
  }
  changes.push_back(PutToken{std::move(token)});
  return changes;
}

absl::Status Hub::CheckToken(const Candidate& candidate, absl::Time now) const {
  const TokenRecord* token = ledger_.FindToken(candidate.token_hash);
  if (token == nullptr) return absl::UnauthenticatedError("the token is not known here");
  if (!token->ended.empty())
    return absl::UnauthenticatedError(absl::StrCat("the token ", token->ended));
  if (token->expires <= now) return absl::UnauthenticatedError("the token has expired");
  if (!token->pair.empty() && token->pair != candidate.id.pair)
    return absl::UnauthenticatedError(absl::StrCat("the token is for the pair ", token->pair));
  return absl::OkStatus();
}

// Whether the fleet takes this node: its names, its pair, their number.
absl::Status Hub::CheckRoom(const Candidate& candidate) const {
  const std::string& pair = candidate.id.pair;
  ZC_RETURN_IF_ERROR(Annotate(CheckPairName(pair), "pair"));
  ZC_RETURN_IF_ERROR(Annotate(CheckNodeName(candidate.id.node), "node"));
  const PairRecord* known = ledger_.FindPair(pair);
  if (known != nullptr && known->ca_key != candidate.ca_key) {
    return absl::AlreadyExistsError(absl::StrCat(
        "the fleet has another pair of the name ", pair,
        "; make a token that gives this one another name: `zctl fleet token --pair NAME`"));
  }
  if (ledger_.FindAgent(candidate.id) != nullptr) return absl::OkStatus();
  const std::vector<const AgentRecord*> agents = ledger_.AgentsOf(pair);
  if (agents.size() >= 2) {
    return absl::AlreadyExistsError(absl::StrCat(
        pair, " has two nodes already, ", agents[0]->id.node, " and ", agents[1]->id.node,
        "; forget the one that ", candidate.id.node, " replaces (`zctl fleet forget`)"));
  }
  if (ledger_.agents().size() >= options_.max_agents) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the fleet is full: ", options_.max_agents,
                     " agents are enrolled; limits.agents in controller.yaml raises it"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Hub::Changes> Hub::DecideEnrolment(const Candidate& candidate, absl::Time now,
                                                  v1::EnrolResponse& response) const {
  ZC_RETURN_IF_ERROR(CheckToken(candidate, now));
  ZC_RETURN_IF_ERROR(CheckRoom(candidate));
  const AgentId& id = candidate.id;
  const std::string uri = tls::AgentUri(options_.fleet, id.pair, id.node);
  // Signed before it is written down, given after: a failed write leaves a certificate that nobody
  // has.
  ZC_ASSIGN_OR_RETURN(const std::string certificate,
                      signer_.sign(candidate.request, {uri, signer_.lifetime}));
  response.set_certificate(certificate);
  response.set_ca_certificate(signer_.ca());
  response.set_fleet(options_.fleet);
  response.set_pair(id.pair);
  SetTime(now + signer_.lifetime, *response.mutable_expires());

  TokenRecord token = *ledger_.FindToken(candidate.token_hash);
  token.ended = absl::StrCat("was used by ", id.Name());
  const PairRecord* known = ledger_.FindPair(id.pair);
  PairRecord pair = known != nullptr ? *known : PairRecord{id.pair, candidate.ca_key, {}};
  for (const auto& [key, value] : token.labels) pair.labels[key] = value;
  ZC_RETURN_IF_ERROR(Annotate(CheckLabels(pair.labels), "labels"));
  AgentRecord agent;
  agent.id = id;
  agent.key = candidate.key;
  agent.enrolled = now;
  agent.certificate_expires = now + signer_.lifetime;
  return Changes{PutToken{std::move(token)}, PutPair{std::move(pair)}, PutAgent{std::move(agent)}};
}

void Hub::Enrol(Candidate candidate, std::function<void(absl::StatusOr<v1::EnrolResponse>)> done) {
  const auto response = std::make_shared<v1::EnrolResponse>();
  const auto who = std::make_shared<const Candidate>(std::move(candidate));
  ledger_.Transact(
      [this, who, response] { return DecideEnrolment(*who, absl::Now(), *response); },
      [this, who, response, done = std::move(done)](const absl::Status& status) {
        if (!status.ok()) {
          Refuse(who->id, "enrolment_refused", status);
          return done(status);
        }
        // If it was enrolled before: whoever holds the old key is out.
        if (agents_ != nullptr) {
          agents_->Disconnect(who->id, absl::PermissionDeniedError(
                                           absl::StrCat(who->id.Name(), " was enrolled anew")));
        }
        Tell(who->id, "agent_enrolled", false,
             {{"from", who->from}, {"version", Printable(who->version.substr(0, 64))}});
        done(*response);
      });
}

absl::StatusOr<Hub::Changes> Hub::DecideCertificate(const AgentId& agent,
                                                    const std::string& request,
                                                    v1::IssuedCertificate& issued) const {
  const AgentRecord* known = ledger_.FindAgent(agent);
  if (known == nullptr) return absl::PermissionDeniedError("the agent was forgotten");
  if (request.size() > kMaxRequest) {
    return absl::InvalidArgumentError(
        absl::StrCat("request: has ", request.size(), " bytes; at most ", kMaxRequest));
  }
  ZC_ASSIGN_OR_RETURN(const std::string key, pki::RequestFingerprint(request));
  const std::string uri = tls::AgentUri(options_.fleet, agent.pair, agent.node);
  ZC_ASSIGN_OR_RETURN(const std::string certificate,
                      signer_.sign(request, {uri, signer_.lifetime}));
  issued.set_certificate(certificate);
  issued.set_ca_certificate(signer_.ca());
  AgentRecord record = *known;
  record.key = WithNew(known->key, key);
  record.certificate_expires = absl::Now() + signer_.lifetime;
  return Changes{PutAgent{std::move(record)}};
}

void Hub::OnCertificateRequest(const AgentId& agent, v1::CertificateRequest request) {
  fleet_.Heard(agent, Loop::Now());
  const auto issued = std::make_shared<v1::IssuedCertificate>();
  const auto answer = [this, agent, issued](const absl::Status& status) {
    if (!status.ok()) {
      Refuse(agent, "certificate_refused", status);
      issued->Clear();
      issued->set_problem(std::string(status.message()));
    }
    v1::ControllerMessage message;
    *message.mutable_certificate() = *issued;
    if (agents_ != nullptr) agents_->Send(agent, std::move(message));
  };
  const auto session = sessions_.find(agent);
  if (session == sessions_.end()) return;
  if (!session->second.certificates.Take(Loop::Now())) {
    return answer(absl::ResourceExhaustedError("too many requests for certificates; wait 10s"));
  }
  ledger_.Transact(
      [this, agent, issued, text = std::move(*request.mutable_request())] {
        return DecideCertificate(agent, text, *issued);
      },
      answer);
}

}  // namespace zcluster::controller
