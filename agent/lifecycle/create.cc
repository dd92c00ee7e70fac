// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/create.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "agent/config/check.h"
#include "agent/lifecycle/change.h"
#include "agent/lifecycle/facts.h"
#include "agent/lifecycle/give_back.h"
#include "agent/lifecycle/journal.h"
#include "agent/lifecycle/pair_of_request.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/tls.h"

namespace zcluster::lifecycle {
namespace {

constexpr int kBootstrapPort = 7701;
// For an answer that takes the other node no time; and for one that starts keepalived.
constexpr absl::Duration kAnswer = absl::Seconds(10);
constexpr absl::Duration kInstall = absl::Seconds(30);
// PAM takes its time to say no, and five callers may be waiting before us.
constexpr absl::Duration kAdmission = absl::Seconds(30);
constexpr absl::Duration kPoll = absl::Milliseconds(20);
// Until both are healthy: link, boot gate, election and the first synchronisation, which grows with
// what there is to synchronise.
constexpr absl::Duration kHealthy = absl::Seconds(120);

std::string NewId() {
  absl::BitGen random;
  return absl::StrFormat("%016x", absl::Uniform<uint64_t>(random));
}

// The code of the first cause, the step's name before the words. UNAVAILABLE is kept for this
// agent: who asked would else read that it is away.
absl::Status AtStep(const std::string& step, const absl::Status& why) {
  const bool away = absl::IsUnavailable(why) || absl::IsCancelled(why);
  return absl::Status(away ? absl::StatusCode::kFailedPrecondition : why.code(),
                      absl::StrCat(step, ": ", why.message()));
}

}  // namespace

absl::Status Create::CheckRequest(const v1::CreateRequest& request,
                                  const config::AgentSettings& self) {
  for (const auto& [field, value] :
       {std::pair("local-ip", request.local_ip()), std::pair("remote-ip", request.remote_ip())}) {
    const absl::StatusOr<config::Address> address = config::ParseAddress(value);
    if (!address.ok() || address->v6 || address->prefix_length >= 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          field, ": is '", value, "'; expected an IPv4 address without prefix length"));
    }
  }
  if (request.local_ip() == request.remote_ip()) {
    return absl::InvalidArgumentError(
        absl::StrCat("remote-ip: is ", request.remote_ip(),
                     ", the same as local-ip; a pair needs two nodes with an address each"));
  }
  if (request.local_link().empty() != request.remote_link().empty()) {
    return absl::InvalidArgumentError("local-link, remote-link: give both or none");
  }
  for (const std::string& link : {request.local_link(), request.remote_link()}) {
    const absl::StatusOr<config::Address> address = config::ParseAddress(link);
    if (link.empty() || (address.ok() && !address->v6 && address->prefix_length < 0)) continue;
    return absl::InvalidArgumentError(absl::StrCat("local-link, remote-link: '", link,
                                                   "' is no IPv4 address without prefix length"));
  }
  if (request.admission_case() == v1::CreateRequest::ADMISSION_NOT_SET) {
    return absl::InvalidArgumentError(
        "a join token (`zctl node token` on the other node) or its root password is needed");
  }
  if (request.has_password() && !pki::IsFingerprint(request.fingerprint())) {
    return absl::InvalidArgumentError(
        "fingerprint: a password is only sent to a node whose key is known; `zctl node "
        "fingerprint` "
        "on the other node shows it");
  }
  return CheckPair(request, self);
}

Create::Create(Loop& loop, Node& node, const Paths& paths, const config::AgentSettings& self,
               v1::CreateRequest request, api::StepSink steps,
               std::function<void(const absl::Status&)> over)
    : loop_(loop),
      node_(node),
      paths_(paths),
      self_(self),
      request_(std::move(request)),
      steps_(std::move(steps)),
      over_(std::move(over)),
      id_(NewId()) {
  log::Info("create_started", {{"id", id_}, {"remote", request_.remote_ip()}});
  Reach();
}

Create::~Create() {
  *alive_ = false;
  pki::Wipe(token_secret_);
  if (request_.has_password()) pki::Wipe(*request_.mutable_password());
  if (request_.has_token()) pki::Wipe(*request_.mutable_token());
  pki::Wipe(member_.identity.key);
  pki::Wipe(member_.identity.ca_key);
  pki::Wipe(*install_.mutable_ca_key());
}

void Create::Reach() {
  bootstrap_ = request_.bootstrap().empty()
                   ? absl::StrCat(request_.remote_ip(), ":", kBootstrapPort)
                   : request_.bootstrap();
  Begin(absl::StrCat("reach ", bootstrap_));
  fingerprint_ = request_.fingerprint();
  if (request_.has_token()) {
    absl::StatusOr<bootstrap::Token> token = bootstrap::ParseToken(request_.token());
    pki::Wipe(*request_.mutable_token());
    if (!token.ok()) return Fail(token.status());
    if (!fingerprint_.empty() && fingerprint_ != token->fingerprint) {
      return Fail(
          absl::InvalidArgumentError(absl::StrCat("the token is of a node with the fingerprint ",
                                                  token->fingerprint, ", not ", fingerprint_)));
    }
    fingerprint_ = token->fingerprint;
    token_secret_ = std::move(token->secret);
  }
  bootstrap::Probe(
      loop_, bootstrap_, [this, alive = alive_](const absl::StatusOr<std::string>& found) {
        if (!*alive || ended_) return;
        if (!found.ok()) return Fail(found.status());
        if (*found != fingerprint_) {
          return Fail(absl::UnauthenticatedError(
              absl::StrCat("the node that answers there has the fingerprint ", *found,
                           ", expected ", fingerprint_,
                           "; either it is another node, or somebody stands in between; nothing "
                           "was told to it")));
        }
        Done(absl::StrCat("reached ", bootstrap_, ", key ", fingerprint_));
        Authenticate();
      });
}

void Create::Authenticate() {
  Begin("authenticate");
  join_ = bootstrap::Join::Dial(loop_, {bootstrap_, fingerprint_});
  std::string password;
  const bool by_password = request_.has_password();
  if (by_password) password.swap(*request_.mutable_password());
  join_->Admit(std::move(token_secret_), std::move(password), kAdmission,
               [this, by_password, alive = alive_](const absl::StatusOr<v1::JoinReply>& reply) {
                 if (!*alive || ended_) return;
                 if (!reply.ok()) return Fail(reply.status());
                 Done(by_password ? "admitted by the root password" : "admitted by the token");
                 Inspect();
               });
  // What was moved away may have left its bytes behind, if it was short.
  pki::Wipe(password);
  pki::Wipe(token_secret_);
  if (by_password) pki::Wipe(*request_.mutable_password());
}

void Create::Inspect() {
  Begin("inspect both nodes");
  v1::JoinRequest request;
  v1::Ask& ask = *request.mutable_ask();
  ask.set_address(request_.remote_ip());
  ask.set_peer_address(request_.local_ip());
  ask.set_link_address(request_.remote_link());
  Ask(std::move(request), kAnswer,
      [this, asked = absl::Now()](const v1::JoinReply& reply) { Compare(reply.facts(), asked); });
}

void Create::Compare(const v1::Facts& there, absl::Time asked) {
  const absl::Time heard = absl::Now();
  v1::Ask own;
  own.set_address(request_.local_ip());
  own.set_peer_address(request_.remote_ip());
  own.set_link_address(request_.local_link());
  absl::StatusOr<v1::Facts> here = LookAtSelf(self_, paths_, own);
  if (!here.ok()) return Fail(here.status());
  here_ = *std::move(here);
  there_ = there;
  if (const absl::Status fit = lifecycle::Compare(here_, there_, heard, heard - asked); !fit.ok()) {
    return Fail(fit);
  }
  Done(absl::StrCat("versions ", here_.version(), " and ", there_.version(), " fit, clocks agree"));
  Done(absl::StrCat("interfaces: ", here_.name(), " ", request_.local_ip(), " on ",
                    here_.interface(), ", ", there_.name(), " ", request_.remote_ip(), " on ",
                    there_.interface(), "; nothing is missing on either"));
  MakeIdentities();
}

void Create::MakeIdentities() {
  Begin("make the pair's identities");
  member_.pair = PairOf(request_, here_.name());
  v1::JoinRequest request;
  request.mutable_make_key()->set_uri(tls::NodeUri(member_.pair.name(), there_.name()));
  Ask(std::move(request), kAnswer, [this](const v1::JoinReply& reply) {
    if (const absl::Status signed_all = SignAll(reply.key_request().request()); !signed_all.ok()) {
      return Fail(signed_all);
    }
    Done(absl::StrCat("made the CA of the pair '", member_.pair.name(),
                      "' and signed both nodes' requests"));
    WriteHere();
  });
}

absl::Status Create::SignAll(const std::string& request_there) {
  identity::Identity& own = member_.identity;
  const std::string& pair = member_.pair.name();
  ZC_ASSIGN_OR_RETURN(own.ca_key, pki::MakeKey());
  ZC_ASSIGN_OR_RETURN(own.ca, pki::MakeCa(own.ca_key, absl::StrCat("zcluster CA of ", pair)));
  ZC_ASSIGN_OR_RETURN(own.key, pki::MakeKey());
  const std::string uri = tls::NodeUri(pair, here_.name());
  ZC_ASSIGN_OR_RETURN(const std::string request, pki::MakeRequest(own.key, uri));
  ZC_ASSIGN_OR_RETURN(own.certificate,
                      pki::Sign(request, own.ca, own.ca_key, {uri, self_.certificate_lifetime}));
  ZC_ASSIGN_OR_RETURN(const std::string certificate_there,
                      pki::Sign(request_there, own.ca, own.ca_key,
                                {tls::NodeUri(pair, there_.name()), self_.certificate_lifetime}));
  install_.set_id(id_);
  install_.set_certificate(certificate_there);
  install_.set_ca_certificate(own.ca);
  install_.set_ca_key(own.ca_key);
  install_.set_peer_name(here_.name());
  for (const std::string& link : {request_.local_link(), request_.local_ip()}) {
    if (!link.empty()) install_.add_peer_links(absl::StrCat(link, ":", here_.link_port()));
  }
  install_.set_pair(PairText(member_.pair));
  return absl::OkStatus();
}

void Create::WriteHere() {
  Begin(absl::StrCat("configure ", here_.name()));
  v1::AgentConfig& agent = member_.agent;
  agent.mutable_node()->set_name(here_.name());
  agent.mutable_node()->set_address(request_.local_ip());
  agent.mutable_node()->set_interface(here_.interface());
  agent.mutable_peer()->set_name(there_.name());
  agent.mutable_peer()->set_address(request_.remote_ip());
  for (const std::string& link : {request_.remote_link(), request_.remote_ip()}) {
    if (!link.empty()) agent.mutable_peer()->add_links(absl::StrCat(link, ":", there_.link_port()));
  }
  member_.first_master = true;
  // From here on a crash leads to an undo at the next start.
  absl::Status status = WriteJournal(paths_.JournalFile(), id_, v1::Journal::PHASE_CREATING);
  written_ = true;
  if (status.ok()) status = InstallMember(paths_, member_);
  pki::Wipe(member_.identity.key);
  pki::Wipe(member_.identity.ca_key);
  if (!status.ok()) return Fail(status);
  absl::StatusOr<config::Settings> settings = config::Load(paths_.agent_file, paths_.pair_file);
  if (!settings.ok()) return Fail(settings.status());
  if (status = node_.Start(*settings); !status.ok()) return Fail(status);
  Done(absl::StrCat("wrote the configuration of ", here_.name(), " and started keepalived"));
  StartThere();
}

void Create::StartThere() {
  Begin(absl::StrCat("configure ", there_.name()));
  v1::JoinRequest request;
  *request.mutable_install() = install_;
  pki::Wipe(*install_.mutable_ca_key());
  Ask(std::move(request), kInstall, [this](const v1::JoinReply&) {
    Done(absl::StrCat("wrote the configuration of ", there_.name(), " and started keepalived"));
    AwaitBoth();
  });
}

std::string Create::MissingHere() const {
  const core::View& view = node_.view();
  if (!view.link.up) {
    return absl::StrCat("the agents have not met: ",
                        view.link.problem.empty() ? "starting" : view.link.problem);
  }
  for (const core::NodeView* one : {&view.local, &view.remote}) {
    if (one->status != core::Status::kGreen) return absl::StrCat(one->name, ": ", one->message);
  }
  if (!view.not_ready.empty()) return absl::StrJoin(view.not_ready, "; ");
  if (view.local.role != core::Role::kMaster && view.remote.role != core::Role::kMaster) {
    return "no node is master yet";
  }
  return "";
}

void Create::AwaitBoth() {
  Begin("synchronise and verify");
  deadline_ = Loop::Now() + kHealthy;
  poll_ = loop_.Every(kPoll, [this] {
    const core::View& view = node_.view();
    if (!linked_ && view.link.up) {
      linked_ = true;
      Done(absl::StrCat("the agents have met over ", view.link.address));
    }
    if (!serving_ && view.local.role == core::Role::kMaster) {
      serving_ = true;
      Done(absl::StrCat(view.local.name, " is master"));
    }
    const std::string missing = MissingHere();
    if (!synchronised_ && linked_ && serving_ && missing.empty()) {
      synchronised_ = true;
      Done("connections and files are synchronised");
    }
    // One message at a time; and the last word of the other must be that it is healthy.
    if (missing.empty() && missing_there_.empty() && !looking_) return Commit();
    if (Loop::Now() > deadline_) {
      return Fail(absl::DeadlineExceededError(absl::StrCat(
          "the pair is not healthy after ", absl::FormatDuration(kHealthy), "; ", here_.name(),
          " sees: ", missing.empty() ? "all well" : missing, "; ", there_.name(),
          " sees: ", missing_there_.empty() ? "all well" : missing_there_)));
    }
    LookThere();
  });
}

void Create::LookThere() {
  if (looking_) return;
  looking_ = true;
  v1::JoinRequest request;
  request.mutable_look();
  Ask(std::move(request), kAnswer, [this](const v1::JoinReply& reply) {
    looking_ = false;
    missing_there_ = reply.health().healthy() ? "" : absl::StrJoin(reply.health().missing(), "; ");
    if (!reply.health().healthy() && missing_there_.empty())
      missing_there_ = "it does not say what";
  });
}

void Create::Commit() {
  poll_.reset();
  Done("both nodes are GREEN, seen from both");
  Begin("make it last");
  // The decision: from here on the pair stands, whatever becomes of us.
  if (const absl::Status decided =
          WriteJournal(paths_.JournalFile(), id_, v1::Journal::PHASE_MEMBER);
      !decided.ok()) {
    return Fail(decided);
  }
  decided_ = true;
  v1::JoinRequest request;
  request.mutable_commit();
  // The other node, should this message be lost, asks over the link how it ended.
  join_->Ask(request, kAnswer, [this, alive = alive_](const absl::StatusOr<v1::JoinReply>& reply) {
    if (!*alive || ended_) return;
    if (reply.ok()) return End(absl::OkStatus());
    End(absl::UnknownError(absl::StrCat(
        "the pair stands, but ", there_.name(), " did not say that it knows (",
        reply.status().message(),
        "); it asks as soon as it is back: look at `zctl nodes`, and if it has left the pair: zctl "
        "cluster unconfigure --local")));
  });
}

void Create::Ask(v1::JoinRequest request, absl::Duration limit,
                 std::function<void(v1::JoinReply)> then) {
  join_->Ask(request, limit,
             [this, then = std::move(then), alive = alive_](absl::StatusOr<v1::JoinReply> reply) {
               if (!*alive || ended_) return;
               if (!reply.ok()) return Fail(reply.status());
               then(*std::move(reply));
             });
  if (request.has_install()) pki::Wipe(*request.mutable_install()->mutable_ca_key());
}

void Create::Done(std::string what) {
  log::Info("create_step", {{"id", id_}, {"done", what}});
  steps_.step(std::move(what));
}

void Create::Fail(const absl::Status& why) {
  if (failing_ || ended_) return;
  failing_ = true;
  poll_.reset();
  // Not from within a callback of the stream itself. Its end undoes all on the other node.
  loop_.Post([this, why, alive = alive_] {
    if (!*alive || ended_) return;
    join_.reset();
    Undo(AtStep(step_, why));
  });
}

void Create::Undo(const absl::Status& why) {
  if (!written_) return End(why);
  GiveBackMember(node_, paths_, [this, why, alive = alive_](const absl::Status& given) {
    if (!*alive) return;
    End(given.ok()
            ? absl::Status(why.code(),
                           absl::StrCat(why.message(), "; what was done is undone on both nodes"))
            : absl::Status(why.code(), absl::StrCat(why.message(), "; and undoing it here failed: ",
                                                    given.message(),
                                                    "; then: zctl cluster unconfigure --local")));
  });
}

void Create::End(const absl::Status& status) {
  if (ended_) return;
  ended_ = true;
  poll_.reset();
  log::Info("create_ended",
            {{"id", id_}, {"outcome", status.ok() ? "OK" : std::string(status.message())}});
  steps_.end(status);
  loop_.Post([over = over_, status] { over(status); });
}

void Create::Abandon() {
  if (ended_) return;
  ended_ = true;
  poll_.reset();
  join_.reset();
  steps_.end(absl::UnavailableError(
      decided_ ? "the agent stopped; the pair stands"
               : "the agent stopped before the pair stood; its next start undoes what was done"));
}

}  // namespace zcluster::lifecycle
