// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/lifecycle.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/identity/identity.h"
#include "agent/lifecycle/change.h"
#include "agent/lifecycle/give_back.h"
#include "agent/lifecycle/journal.h"
#include "agent/lifecycle/member.h"
#include "agent/machine/machine.h"
#include "common/file.h"
#include "common/log.h"
#include "common/pki.h"
#include "common/status.h"

namespace zcluster::lifecycle {
namespace {

constexpr size_t kMaxFile = 4 << 20;
constexpr absl::Duration kTryAgain = absl::Seconds(10);
constexpr absl::string_view kNotInPair = "this node is in no pair; make one: zctl cluster create";

void WipeSecrets(v1::CreateRequest& request) {
  if (request.has_password()) pki::Wipe(*request.mutable_password());
  if (request.has_token()) pki::Wipe(*request.mutable_token());
}

v1::DescribeResponse::Member MemberOf(const std::string& name, const std::string& address,
                                      const v1::FetchResponse& told) {
  v1::DescribeResponse::Member member;
  member.set_name(name);
  member.set_address(address);
  member.set_interface(told.interface());
  member.set_generation(told.generation());
  if (told.has_certificate_expires()) {
    *member.mutable_certificate_expires() = told.certificate_expires();
  }
  return member;
}

}  // namespace

Lifecycle::Lifecycle(Loop& loop, Node& node, Paths paths, Guard& guard, AuditTrail& audit)
    : loop_(loop),
      node_(node),
      paths_(std::move(paths)),
      joining_(loop, node, paths_, self_, audit,
               {.may_begin = [this] { return CheckIdle(); },
                .joined =
                    [this] {
                      if (const absl::Status held = HoldConfiguration(); !held.ok()) {
                        log::Error("member_not_held", {{"problem", std::string(held.message())}});
                      }
                    },
                .undone =
                    [this](const absl::Status& given) {
                      if (!given.ok()) AfterGiveBack(given);
                    }}),
      service_(loop, guard, *this) {}

Lifecycle::~Lifecycle() { Stop(); }

absl::Status Lifecycle::Start() {
  for (const std::string& file :
       {paths_.JournalFile(), paths_.agent_file, paths_.pair_file, paths_.ProposalFile()}) {
    RemoveLeftovers(file);
  }
  ZC_ASSIGN_OR_RETURN(const v1::Journal journal, ReadJournal(paths_.JournalFile()));
  ZC_ASSIGN_OR_RETURN(self_, ReadSelf(paths_));
  const bool member = journal.phase() == v1::Journal::PHASE_MEMBER;
  if (member && !self_.in_pair) {
    // A file that was lost, or a wrong --config: no reason to end a pair.
    return absl::FailedPreconditionError(
        absl::StrCat(paths_.agent_file,
                     ": lacks the sections node and peer, though this node is a member of a pair (",
                     paths_.JournalFile(),
                     "); put them back, or, to make it a bare node for good, start zagent "
                     "once without that journal"));
  }
  if (member || journal.phase() == v1::Journal::PHASE_UNSPECIFIED) {
    return self_.in_pair ? BecomeMember() : BecomeFree();
  }
  if (journal.phase() == v1::Journal::PHASE_PREPARED && self_.in_pair) {
    ZC_ASSIGN_OR_RETURN(const config::Settings settings,
                        config::Load(paths_.agent_file, paths_.pair_file));
    ZC_RETURN_IF_ERROR(node_.Start(settings));
    joining_.Resume(journal.id());
    return absl::OkStatus();
  }
  log::Warning("unfinished_found",
               {{"phase", v1::Journal::Phase_Name(journal.phase())}, {"id", journal.id()}});
  GiveBack([](const absl::Status&) {});
  return absl::OkStatus();
}

void Lifecycle::Stop() {
  if (std::exchange(stopped_, true)) return;
  joining_.Stop();
  retry_.reset();
  if (create_ != nullptr) create_->Abandon();
  create_.reset();
  leaving_.reset();
  configuration_.reset();
  forgotten_.reset();
  service_.Close();
  bootstrap_.reset();
}

// ---- What this node is ----

absl::Status Lifecycle::BecomeMember() {
  ZC_ASSIGN_OR_RETURN(const config::Settings settings,
                      config::Load(paths_.agent_file, paths_.pair_file));
  ZC_RETURN_IF_ERROR(node_.Start(settings));
  return HoldConfiguration();
}

absl::Status Lifecycle::HoldConfiguration() {
  ZC_ASSIGN_OR_RETURN(self_, ReadSelf(paths_));
  ZC_ASSIGN_OR_RETURN(const std::string text, ReadFile(paths_.pair_file, kMaxFile));
  ZC_ASSIGN_OR_RETURN(v1::PairConfig present, config::ReadPairFile(paths_.pair_file, text, self_));
  ZC_ASSIGN_OR_RETURN(config::Settings settings, config::Load(paths_.agent_file, paths_.pair_file));
  configuration_ = std::make_unique<Configuration>(loop_, node_, paths_, std::move(settings),
                                                   std::move(present));
  forgotten_ = std::make_unique<Forgotten>(loop_, node_, self_);
  if (bootstrap_ != nullptr) bootstrap_->Close();
  scrubbing_.reset();
  return absl::OkStatus();
}

absl::Status Lifecycle::BecomeFree() {
  ZC_ASSIGN_OR_RETURN(self_, ReadSelf(paths_));
  scrubbing_.emplace();
  if (bootstrap_ == nullptr) {
    bootstrap::Options options;
    options.listen = self_.bootstrap_listen;
    options.state_dir = paths_.state_dir + "/bootstrap";
    options.version = ZC_VERSION;
    options.password = self_.bootstrap_password;
    ZC_ASSIGN_OR_RETURN(bootstrap_,
                        bootstrap::Bootstrap::Make(loop_, std::move(options), joining_));
  }
  ZC_RETURN_IF_ERROR(bootstrap_->Open());
  log::Info("waits_for_a_pair",
            {{"listen", self_.bootstrap_listen}, {"fingerprint", bootstrap_->Fingerprint()}});
  return absl::OkStatus();
}

void Lifecycle::GiveBack(std::function<void(const absl::Status&)> done) {
  giving_back_ = true;
  configuration_.reset();
  forgotten_.reset();
  GiveBackMember(node_, paths_, [this, done = std::move(done)](const absl::Status& given) {
    if (stopped_) return;
    AfterGiveBack(given);
    done(given);
  });
}

void Lifecycle::AfterGiveBack(const absl::Status& given) {
  absl::Status status = given;
  if (status.ok()) status = BecomeFree();
  giving_back_ = !status.ok();
  if (status.ok()) return;
  log::Error("give_back_failed", {{"problem", std::string(status.message())}});
  retry_ = loop_.After(kTryAgain, [this] { GiveBack([](const absl::Status&) {}); });
}

absl::Status Lifecycle::CheckIdle() const {
  if (create_ != nullptr) return absl::FailedPreconditionError("a pair is being made from here");
  if (leaving_ != nullptr || giving_back_) {
    return absl::FailedPreconditionError("this node is being given back");
  }
  if (joining_.under_way()) {
    return absl::FailedPreconditionError("this node is being joined to a pair");
  }
  if (node_.running()) {
    return absl::FailedPreconditionError(
        absl::StrCat("this node is in a pair with ", self_.peer_name, " already"));
  }
  return absl::OkStatus();
}

absl::Status Lifecycle::CheckMember() const {
  if (configuration_ == nullptr || leaving_ != nullptr) {
    return absl::FailedPreconditionError(std::string(kNotInPair));
  }
  return absl::OkStatus();
}

std::string Lifecycle::Master() const {
  const core::View& view = node_.view();
  if (view.local.role == core::Role::kMaster) return view.local.name;
  return view.remote.role == core::Role::kMaster ? view.remote.name : "";
}

// ---- Making a pair ----

absl::StatusOr<v1::InterfacesResponse> Lifecycle::Interfaces() {
  std::vector<std::string> vips;
  if (configuration_ != nullptr) {
    for (const config::Vip& vip : configuration_->settings().pair->vips) {
      vips.push_back(vip.address);
    }
  }
  ZC_ASSIGN_OR_RETURN(const std::vector<machine::Address> addresses, machine::Addresses(vips));
  v1::InterfacesResponse response;
  for (const bool usable : {true, false}) {
    for (const machine::Address& address : addresses) {
      if (address.refused.empty() != usable || address.v6) continue;
      v1::InterfacesResponse::Address& shown = *response.add_addresses();
      shown.set_address(absl::StrCat(address.address, "/", address.prefix_length));
      shown.set_interface(address.interface);
      shown.set_refused(address.refused);
    }
  }
  return response;
}

void Lifecycle::Probe(const v1::ProbeRequest& request, Answer<v1::ProbeResponse> answer) {
  constexpr int kPort = 7701;
  std::string address = request.remote();
  if (address.find(':') == std::string::npos) address = absl::StrCat(address, ":", kPort);
  bootstrap::Probe(loop_, address,
                   [answer = std::move(answer)](const absl::StatusOr<std::string>& found) {
                     // UNAVAILABLE would say that this agent is away.
                     if (absl::IsUnavailable(found.status())) {
                       return answer(absl::FailedPreconditionError(found.status().message()));
                     }
                     if (!found.ok()) return answer(found.status());
                     v1::ProbeResponse response;
                     response.set_fingerprint(*found);
                     answer(response);
                   });
}

absl::Status Lifecycle::AlreadyThere(const v1::CreateRequest& request) const {
  const config::AgentSettings& self = configuration_->settings().agent;
  const std::string pair = configuration_->present().name();
  const bool same = self.node_address == request.local_ip() &&
                    self.peer_address == request.remote_ip() &&
                    (request.name().empty() || request.name() == pair);
  if (same) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      "this node is in the pair '", pair, "' with ", self.peer_name, " (", self.peer_address,
      ") already; `zctl cluster configure` changes it, `zctl cluster unconfigure` ends it"));
}

void Lifecycle::Create(v1::CreateRequest request, api::StepSink steps) {
  if (configuration_ != nullptr && leaving_ == nullptr) {
    const absl::Status there = AlreadyThere(request);
    if (there.ok()) {
      steps.step(absl::StrCat("nothing to do: the pair '", configuration_->present().name(),
                              "' with ", self_.peer_name, " is there already"));
    }
    WipeSecrets(request);
    return steps.end(there);
  }
  absl::Status status = CheckIdle();
  if (status.ok()) status = Create::CheckRequest(request, self_);
  if (!status.ok()) {
    WipeSecrets(request);
    return steps.end(status);
  }
  create_ = std::make_unique<class Create>(
      loop_, node_, paths_, self_, std::move(request), std::move(steps),
      [this](const absl::Status& end) {
        create_.reset();
        if (stopped_) return;
        const absl::Status became = end.ok() ? HoldConfiguration() : absl::OkStatus();
        if (!became.ok()) {
          log::Error("member_not_held", {{"problem", std::string(became.message())}});
        }
      });
}

absl::StatusOr<v1::TokenResponse> Lifecycle::Token(absl::Duration lifetime) {
  ZC_RETURN_IF_ERROR(CheckIdle());
  return bootstrap_->Token(lifetime);
}

absl::StatusOr<v1::FingerprintResponse> Lifecycle::Fingerprint() {
  if (bootstrap_ == nullptr) {
    return absl::FailedPreconditionError(
        "this node is in a pair: its bootstrap key is not in use, and joins are not taken");
  }
  v1::FingerprintResponse response;
  response.set_fingerprint(bootstrap_->Fingerprint());
  return response;
}

absl::Status Lifecycle::Unlock() {
  if (bootstrap_ == nullptr) {
    return absl::FailedPreconditionError("this node is in a pair, and takes no joins");
  }
  return bootstrap_->Unlock();
}

// ---- Showing and changing it ----

absl::StatusOr<v1::DescribeResponse> Lifecycle::Describe() {
  ZC_RETURN_IF_ERROR(CheckMember());
  v1::DescribeResponse response;
  *response.mutable_config() = Complete(configuration_->present());
  response.set_document(PairText(response.config()));
  response.set_split_brain("AVAILABILITY");
  const config::AgentSettings& self = configuration_->settings().agent;
  v1::FetchResponse own;
  Fetch({}, [&own](absl::StatusOr<v1::FetchResponse> fetched) { own = *std::move(fetched); });
  *response.add_members() = MemberOf(self.node_name, self.node_address, own);
  *response.add_members() = MemberOf(self.peer_name, self.peer_address, configuration_->peer());
  return response;
}

absl::StatusOr<v1::PairConfig> Lifecycle::Wanted(const v1::Change& change) const {
  ZC_RETURN_IF_ERROR(CheckMember());
  ZC_ASSIGN_OR_RETURN(v1::PairConfig wanted, Changed(configuration_->present(), change, Master()));
  // With the document's own name and lines, where there is one.
  if (!change.document().empty()) {
    const std::string name = change.document_name().empty() ? "document" : change.document_name();
    ZC_RETURN_IF_ERROR(
        config::ParsePair(name, change.document(), configuration_->settings().agent).status());
  }
  return wanted;
}

void Lifecycle::Plan(const v1::PlanRequest& request, Answer<v1::PlanResponse> answer) {
  const absl::StatusOr<v1::PairConfig> wanted = Wanted(request.change());
  if (!wanted.ok()) return answer(wanted.status());
  const v1::PairConfig present = configuration_->present();
  v1::PlanResponse response;
  response.set_generation(present.generation());
  response.set_before(PairText(Complete(present)));
  response.set_after(PairText(Complete(*wanted)));
  for (std::string& disturbance : Disturbances(present, *wanted)) {
    response.add_disturbances(std::move(disturbance));
  }
  if (SameButGeneration(present, *wanted)) return answer(response);
  configuration_->Check(*wanted, [response, answer](const absl::Status& checked) {
    if (!checked.ok()) return answer(checked);
    answer(response);
  });
}

void Lifecycle::Apply(const v1::ApplyRequest& request, api::StepSink steps) {
  const absl::StatusOr<v1::PairConfig> wanted = Wanted(request.change());
  if (!wanted.ok()) return steps.end(wanted.status());
  const v1::PairConfig& present = configuration_->present();
  if (request.generation() != 0 && request.generation() != present.generation()) {
    return steps.end(absl::AbortedError(absl::StrCat(
        "the change was made from generation ", request.generation(), ", the present one is ",
        present.generation(), "; look at that and make the change again")));
  }
  if (SameButGeneration(present, *wanted)) {
    steps.step("nothing to do: the configuration is so already");
    return steps.end(absl::OkStatus());
  }
  const std::vector<std::string> disturbances = Disturbances(present, *wanted);
  if (!disturbances.empty() && !request.accept_disturbance()) {
    return steps.end(absl::FailedPreconditionError(
        absl::StrCat("the change disturbs the traffic: ", disturbances.front())));
  }
  configuration_->Apply(*wanted, steps.step, steps.end);
}

// ---- Ending it ----

void Lifecycle::Unconfigure(const v1::UnconfigureRequest& request, api::StepSink steps) {
  if (create_ != nullptr || leaving_ != nullptr || joining_.under_way()) {
    return steps.end(absl::FailedPreconditionError(
        absl::StrCat(CheckIdle().message(), "; that ends by itself: zctl nodes")));
  }
  if (configuration_ != nullptr && configuration_->busy()) {
    return steps.end(absl::FailedPreconditionError(
        "a change of the configuration is under way; try again when it is done"));
  }
  if (!node_.running() && !giving_back_) {
    steps.step("nothing to do: this node is in no pair");
    return steps.end(absl::OkStatus());
  }
  if (configuration_ == nullptr) {  // what failed half-way is tried again at once
    retry_.reset();
    return GiveBack(steps.end);
  }
  leaving_ = std::make_unique<Leaving>(
      loop_, node_, paths_, configuration_->settings(), request.local(),
      [this](Leaving::Done done) { GiveBack(std::move(done)); }, steps.step,
      [this, end = steps.end](const absl::Status& status) {
        end(status);
        loop_.Post([this] { leaving_.reset(); });
      });
}

// ---- Operators ----

absl::StatusOr<v1::ListOperatorsResponse> Lifecycle::ListOperators() {
  ZC_RETURN_IF_ERROR(CheckMember());
  v1::ListOperatorsResponse response;
  *response.mutable_operators() = configuration_->present().operators();
  return response;
}

}  // namespace zcluster::lifecycle
