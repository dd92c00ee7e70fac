// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/controller_link.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "agent/wire/wire.h"
#include "common/certificate.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::controller_link {
namespace {

// Between looks at the token file: a person has just written it, and waits.
constexpr absl::Duration kLookInterval = absl::Seconds(2);
// Between tries at a controller that does not know this node; give or take a half.
constexpr absl::Duration kDeniedPause = absl::Minutes(5);

absl::StatusOr<FleetName> NameIn(const Options& options) {
  ZC_ASSIGN_OR_RETURN(identity::Identity own, identity::Load(options.directory));
  pki::Wipe(own.key);
  ZC_ASSIGN_OR_RETURN(const std::string uri, tls::UriOf(own.certificate));
  ZC_ASSIGN_OR_RETURN(FleetName name, ParseAgentUri(uri));
  if (name.node == options.node) return name;
  return absl::FailedPreconditionError(absl::StrCat("it is of the node ", name.node));
}

tls::Expected AnyControllerOf(const std::string& fleet) {
  tls::Expected expected;
  expected.accept = [fleet](const tls::Identity& shown) {
    return ControllerName(fleet, shown.uri).status();
  };
  expected.whom = absl::StrCat("a controller of the fleet ", fleet);
  expected.called = "the controller's certificate";
  return expected;
}

}  // namespace

ControllerLink::ControllerLink(Loop& loop, Options options, Surroundings around)
    : loop_(loop),
      options_(std::move(options)),
      around_(std::move(around)),
      inlet_(std::make_shared<Inlet>(loop)),
      requests_(inlet_, around_.node, options_.allow) {}

ControllerLink::~ControllerLink() { Stop(); }

absl::Status ControllerLink::Start(EventSink&) {
  disk_ = std::make_unique<Disk>(inlet_);
  enrolment_ = std::make_unique<Enrolment>(inlet_, *disk_, options_);
  renewal_ = std::make_unique<Renewal>(loop_, *disk_, options_.directory,
                                       [this](v1::CertificateRequest request) {
                                         if (session_ != nullptr) session_->Ask(std::move(request));
                                       });
  Load();
  return absl::OkStatus();
}

void ControllerLink::Stop() {
  inlet_->Shut();
  again_.reset();
  look_.reset();
  if (std::exchange(connected_, false)) taken_ = session_->taken();
  session_.reset();
  requests_.Stop();
  renewal_.reset();
  enrolment_.reset();
  disk_.reset();
}

void ControllerLink::Perform(const core::Action& action) {
  if (session_ != nullptr && std::holds_alternative<core::Publish>(action)) session_->Changed();
}

v1::ControllerState ControllerLink::state() const {
  v1::ControllerState state;
  state.set_connected(connected_);
  state.set_address(options_.addresses[address_]);
  if (name_) {
    state.set_fleet(name_->fleet);
    state.set_pair(name_->pair);
  }
  state.set_problem(problem_);
  *state.mutable_since() = wire::ToProto(Loop::Now() - since_);
  if (around_.journal != nullptr) {
    const uint64_t last = around_.journal->last();
    const uint64_t taken = connected_ ? session_->taken() : taken_;
    state.set_events_waiting(last - std::min(taken, last));
  }
  return state;
}

void ControllerLink::SetProblem(const std::string& problem) {
  if (problem == problem_) return;
  problem_ = problem;
  if (!problem.empty()) log::Warning("controller_away", {{"problem", problem}});
}

// --- The identity.

void ControllerLink::Load() {
  disk_->Do([this, options = options_]() -> Disk::Then {
    return [this, name = NameIn(options)] { Loaded(name); };
  });
}

void ControllerLink::Loaded(const absl::StatusOr<FleetName>& name) {
  ++loaded_;
  renewal_->End();
  session_.reset();
  connected_ = denied_ = false;
  again_.reset();
  look_.reset();
  if (!name.ok()) {
    name_.reset();
    if (!absl::IsNotFound(name.status())) {
      SetProblem(absl::StrCat("the identity in ", options_.directory, " cannot be used: ",
                              name.status().message(), "; remove it, and enrol this node anew"));
    }
    return LookForToken();
  }
  name_ = *name;
  credentials_ = tls::ClientCredentials(identity::FilesIn(options_.directory),
                                        AnyControllerOf(name_->fleet), nullptr);
  BeginRound();
}

void ControllerLink::LookForToken() {
  look_.reset();
  enrolment_->Try([this](const Enrolment::Outcome& outcome) { Tried(outcome); });
}

void ControllerLink::Tried(const Enrolment::Outcome& outcome) {
  using Result = Enrolment::Result;
  if (outcome.result == Result::kEnrolled) {
    log::Info("controller_enrolled", {{"pair", options_.pair}, {"node", options_.node}});
    return Load();
  }
  // A fleet that does not know us any more is the problem that is shown, until its controller has
  // something to say of a new token.
  const bool shown = !name_ || outcome.result == Result::kRefused;
  if (shown && outcome.result != Result::kNotNow) SetProblem(outcome.problem);
  if (name_ && !denied_) return;  // the link is there again
  look_ = loop_.After(kLookInterval, [this] { LookForToken(); });
}

// --- The stream.

void ControllerLink::BeginRound() {
  again_.reset();
  round_problem_.clear();
  disk_->Do([this, loaded = loaded_, files = identity::FilesIn(options_.directory),
             uri = name_->Uri()]() -> Disk::Then {
    return [this, loaded, status = tls::CheckOwnFiles(files, uri)] {
      if (loaded != loaded_) return;  // another identity is here meanwhile
      if (status.ok()) return Dial(0);
      SetProblem(absl::StrCat(status.message(), "; put a new token of `zctl fleet token` into ",
                              options_.token_file));
      Again(pacer_.Next());
      denied_ = true;
      if (look_ == nullptr) LookForToken();
    };
  });
}

void ControllerLink::Dial(size_t address) {
  address_ = address;
  session_.reset();  // before the next: they share the journal
  const std::string& to = options_.addresses[address];
  SessionListener& listener = *this;
  session_ =
      std::make_unique<Session>(Session::Context{loop_, inlet_, options_, around_, requests_},
                                *name_, to, MakeChannel(to, credentials_), listener);
}

void ControllerLink::Again(absl::Duration wait) {
  again_ = loop_.After(wait, [this] { BeginRound(); });
}

void ControllerLink::OnWelcome() {
  connected_ = true;
  denied_ = false;
  look_.reset();
  since_ = Loop::Now();
  SetProblem("");
  pacer_.Reset();
  log::Info("controller_connected", {{"address", session_->address()},
                                     {"controller", session_->controller()},
                                     {"fleet", name_->fleet},
                                     {"pair", name_->pair}});
  renewal_->Begin();
}

void ControllerLink::OnCertificate(v1::IssuedCertificate certificate) {
  renewal_->Answered(std::move(certificate));
}

void ControllerLink::OnSessionEnded(const Ended& why) {
  const bool was_connected = std::exchange(connected_, false);
  if (was_connected) {
    taken_ = session_->taken();
    since_ = Loop::Now();
    renewal_->End();
  }
  session_.reset();
  const bool unknown = absl::IsPermissionDenied(why.status) && why.reached;
  if (unknown) {
    SetProblem(absl::StrCat("the controller does not let this node in: ", why.status.message(),
                            "; to enrol it anew put a new token of `zctl fleet token` into ",
                            options_.token_file));
  } else if (was_connected || round_problem_.empty()) {
    round_problem_ = std::string(why.status.message());
  }
  if (!unknown && !was_connected && address_ + 1 < options_.addresses.size()) {
    return Dial(address_ + 1);
  }
  if (!unknown) SetProblem(round_problem_);
  // A controller of another fleet, or of one that began anew, answers in the old one's place.
  if (unknown || absl::IsUnauthenticated(why.status)) {
    denied_ = true;
    if (look_ == nullptr) LookForToken();
  }
  absl::BitGen random;
  Again(unknown ? kDeniedPause * absl::Uniform(random, 0.5, 1.5) : pacer_.Next());
}

}  // namespace zcluster::controller_link
