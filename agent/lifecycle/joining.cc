// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/joining.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/config/check.h"
#include "agent/lifecycle/change.h"
#include "agent/lifecycle/facts.h"
#include "agent/lifecycle/give_back.h"
#include "agent/lifecycle/journal.h"
#include "common/certificate.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/tls.h"

namespace zcluster::lifecycle {
namespace {

constexpr size_t kMaxText = 255;
constexpr size_t kMaxLinks = 8;
constexpr absl::Duration kDoubt = absl::Seconds(10);
// After a restart the other may be down for the same reason.
constexpr absl::Duration kDoubtAfterStart = absl::Seconds(60);
// An honest create takes seconds; one that waits in vain for both to be healthy, two minutes.
constexpr absl::Duration kWholeJoin = absl::Minutes(5);
constexpr absl::Duration kAskAgain = absl::Milliseconds(500);

absl::Status OutOfOrder(absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(what, " came out of order"));
}

}  // namespace

Joining::Joining(Loop& loop, Node& node, const Paths& paths, const config::AgentSettings& self,
                 AuditTrail& audit, Observer observer)
    : loop_(loop),
      node_(node),
      paths_(paths),
      self_(self),
      audit_(audit),
      observer_(std::move(observer)) {}

Joining::~Joining() {
  *alive_ = false;
  pki::Wipe(key_);
}

absl::Status Joining::Begin(const std::string& address) {
  ZC_RETURN_IF_ERROR(observer_.may_begin());
  Forget();
  under_way_ = true;
  from_ = address;
  limit_ = loop_.After(kWholeJoin, [this] {
    log::Warning("join_too_long", {{"from", from_}});
    said_healthy_ = false;
    End();
  });
  log::Info("join_started", {{"from", address}});
  return absl::OkStatus();
}

void Joining::Resume(const std::string& id) {
  Forget();
  under_way_ = written_ = said_healthy_ = prepared_ = true;
  id_ = id;
  doubt_ends_ = Loop::Now() + kDoubtAfterStart;
  calls_ = std::make_unique<PeerCalls>(loop_, node_.peer());
  AskHowItEnded();
}

void Joining::Stop() {
  stopped_ = true;
  Forget();
}

void Joining::Carry(const v1::JoinRequest& request, Reply reply) { reply(Answer(request)); }

absl::StatusOr<v1::JoinReply> Joining::Answer(const v1::JoinRequest& request) {
  if (!under_way_) return OutOfOrder("a message after the end");
  switch (request.kind_case()) {
    case v1::JoinRequest::kAsk: {
      v1::JoinReply reply;
      asked_ = request.ask();
      for (const std::string& address :
           {asked_.address(), asked_.peer_address(), asked_.link_address()}) {
        if (!address.empty()) ZC_RETURN_IF_ERROR(config::ParseAddress(address).status());
      }
      ZC_ASSIGN_OR_RETURN(*reply.mutable_facts(), LookAtSelf(self_, paths_, asked_));
      interface_ = reply.facts().interface();
      return reply;
    }
    case v1::JoinRequest::kMakeKey:
      return MakeKey(request.make_key());
    case v1::JoinRequest::kInstall:
      return Install(request.install());
    case v1::JoinRequest::kLook:
      return Look();
    case v1::JoinRequest::kCommit:
      return Commit();
    case v1::JoinRequest::kAdmission:
    case v1::JoinRequest::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError(
      "an unknown message; is the other node's zagent much newer than this one?");
}

absl::StatusOr<v1::JoinReply> Joining::MakeKey(const v1::MakeKey& wanted) {
  if (interface_.empty() || written_) return OutOfOrder("the wish for a key");
  if (wanted.uri().size() > kMaxText) {
    return absl::InvalidArgumentError("uri: longer than a node's identity can be");
  }
  v1::JoinReply reply;
  uri_ = wanted.uri();
  ZC_ASSIGN_OR_RETURN(key_, pki::MakeKey());
  ZC_ASSIGN_OR_RETURN(*reply.mutable_key_request()->mutable_request(),
                      pki::MakeRequest(key_, uri_));
  return reply;
}

absl::Status Joining::CheckInstall(const v1::Install& wanted, Membership& member) const {
  if (wanted.id().empty() || wanted.id().size() > kMaxText) {
    return absl::InvalidArgumentError("id: is missing or too long");
  }
  ZC_RETURN_IF_ERROR(Annotate(config::CheckNodeName(wanted.peer_name()), "peer_name"));
  if (wanted.peer_links().empty() || static_cast<size_t>(wanted.peer_links_size()) > kMaxLinks) {
    return absl::InvalidArgumentError(
        absl::StrCat("peer_links: 1 to ", kMaxLinks, " are expected"));
  }
  v1::AgentConfig& agent = member.agent;
  agent.mutable_node()->set_name(self_.node_name);
  agent.mutable_node()->set_address(asked_.address());
  agent.mutable_node()->set_interface(interface_);
  agent.mutable_peer()->set_name(wanted.peer_name());
  agent.mutable_peer()->set_address(asked_.peer_address());
  *agent.mutable_peer()->mutable_links() = wanted.peer_links();
  ZC_ASSIGN_OR_RETURN(const config::AgentSettings settings,
                      config::ParseAgent("install", WithMembership("", agent)));
  ZC_ASSIGN_OR_RETURN(member.pair, config::ReadPairFile("install", wanted.pair(), settings));
  if (uri_ != tls::NodeUri(member.pair.name(), self_.node_name)) {
    return absl::InvalidArgumentError("pair: is another than the certificate was asked for");
  }
  member.identity = {wanted.certificate(), key_, wanted.ca_certificate(), wanted.ca_key()};
  const tls::Candidate candidate{.certificate = wanted.certificate(),
                                 .chain = wanted.certificate(),
                                 .ca = wanted.ca_certificate(),
                                 .called = "the certificate for this node"};
  ZC_RETURN_IF_ERROR(tls::CheckCertificate(candidate, tls::Use::kServer, uri_));
  ZC_RETURN_IF_ERROR(tls::CheckKey(wanted.certificate(), key_));
  return Annotate(tls::CheckKey(wanted.ca_certificate(), wanted.ca_key()), "ca_key");
}

absl::StatusOr<v1::JoinReply> Joining::Install(const v1::Install& wanted) {
  if (key_.empty() || written_) return OutOfOrder("the configuration");
  Membership member;
  const absl::Status sound = CheckInstall(wanted, member);
  absl::Status status = sound;
  if (status.ok()) {
    id_ = wanted.id();
    status = WriteJournal(paths_.JournalFile(), id_, v1::Journal::PHASE_JOINING);
    written_ = true;
  }
  if (status.ok()) status = InstallMember(paths_, member);
  pki::Wipe(member.identity.ca_key);
  pki::Wipe(member.identity.key);
  pki::Wipe(key_);
  ZC_RETURN_IF_ERROR(status);
  ZC_ASSIGN_OR_RETURN(const config::Settings settings,
                      config::Load(paths_.agent_file, paths_.pair_file));
  ZC_RETURN_IF_ERROR(node_.Start(settings));
  v1::JoinReply reply;
  reply.mutable_installed();
  return reply;
}

absl::StatusOr<v1::JoinReply> Joining::Look() {
  if (!node_.running()) return OutOfOrder("the look");
  v1::JoinReply reply;
  v1::Health& health = *reply.mutable_health();
  const core::View& view = node_.view();
  if (!view.link.up) health.add_missing(absl::StrCat("the link is down: ", view.link.problem));
  for (const core::NodeView* one : {&view.local, &view.remote}) {
    if (one->status != core::Status::kGreen) {
      health.add_missing(absl::StrCat(one->name, ": ", one->message));
    }
  }
  for (const std::string& reason : view.not_ready) health.add_missing(reason);
  health.set_healthy(health.missing().empty());
  said_healthy_ = health.healthy();
  // From here on the other may decide, so from here on a start of ours must not undo unasked.
  if (said_healthy_ && !prepared_) {
    ZC_RETURN_IF_ERROR(WriteJournal(paths_.JournalFile(), id_, v1::Journal::PHASE_PREPARED));
    prepared_ = true;
  }
  return reply;
}

absl::Status Joining::BecomeMember() {
  ZC_RETURN_IF_ERROR(WriteJournal(paths_.JournalFile(), id_, v1::Journal::PHASE_MEMBER));
  log::Info("join_committed", {{"id", id_}, {"from", from_}});
  Audit("OK");
  Forget();
  // After the reply: being a member ends the taking of joins.
  loop_.Post([this, alive = alive_] {
    if (*alive) observer_.joined();
  });
  return absl::OkStatus();
}

absl::StatusOr<v1::JoinReply> Joining::Commit() {
  if (!said_healthy_) return OutOfOrder("the commit");
  ZC_RETURN_IF_ERROR(BecomeMember());
  v1::JoinReply reply;
  reply.mutable_committed();
  return reply;
}

void Joining::End() {
  if (!under_way_ || stopped_) return;
  limit_.reset();
  if (!written_) {
    log::Info("join_ended", {{"from", from_}, {"outcome", "nothing was done"}});
    Audit("ended before anything was done");
    return Forget();
  }
  if (!said_healthy_) return Undo("the other node went away before the pair stood");
  doubt_ends_ = Loop::Now() + kDoubt;
  calls_ = std::make_unique<PeerCalls>(loop_, node_.peer());
  AskHowItEnded();
}

void Joining::AskHowItEnded() {
  retry_.reset();
  v1::OutcomeRequest request;
  request.set_id(id_);
  calls_->Outcome(request, [this](const absl::StatusOr<v1::OutcomeResponse>& answer) {
    if (answer.ok() && answer->outcome() == v1::CREATE_OUTCOME_COMMITTED) {
      if (BecomeMember().ok()) return;
    }
    if (answer.ok() && answer->outcome() == v1::CREATE_OUTCOME_UNSPECIFIED) {
      return Undo("the other node has undone the create");
    }
    if (Loop::Now() > doubt_ends_) {
      return Undo(absl::StrCat("the other node did not tell within ", absl::FormatDuration(kDoubt),
                               " that the pair stands"));
    }
    retry_ = loop_.After(kAskAgain, [this] { AskHowItEnded(); });
  });
}

void Joining::Undo(const std::string& why) {
  log::Warning("join_undone", {{"from", from_}, {"cause", why}});
  Audit(absl::StrCat("undone: ", why));
  calls_.reset();
  retry_.reset();
  GiveBackMember(node_, paths_, [this, alive = alive_](const absl::Status& given) {
    if (!*alive || stopped_) return;
    if (!given.ok()) {
      log::Warning("join_undo_failed", {{"problem", std::string(given.message())}});
    }
    Forget();
    observer_.undone(given);
  });
}

void Joining::Audit(const std::string& result) {
  v1::AuditEntry entry;
  entry.set_who("whoever was admitted");
  entry.set_from(from_.empty() ? "before a restart" : from_);
  entry.set_what(absl::StrCat("BootstrapService/Join address=", asked_.address(),
                              " peer_address=", asked_.peer_address(), " uri=", uri_));
  entry.set_result(result);
  audit_.Append(std::move(entry));
}

void Joining::Forget() {
  pki::Wipe(key_);
  under_way_ = written_ = said_healthy_ = prepared_ = false;
  uri_.clear();
  interface_.clear();
  calls_.reset();
  retry_.reset();
  limit_.reset();
}

}  // namespace zcluster::lifecycle
