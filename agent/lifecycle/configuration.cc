// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/configuration.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::lifecycle {
namespace {

// How soon a node that missed a change notices; a question costs some 100 us. Until the peer has
// answered once it is asked as often as we look.
constexpr absl::Duration kLookEvery = absl::Milliseconds(200);
constexpr int kCompareEvery = 10;  // looks
constexpr size_t kMaxDocument = 1 << 20;
constexpr unsigned kMode = 0644;

bool IsUnheard(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsCancelled(status);
}

absl::Status FromPeer(const std::string& peer, const absl::Status& why) {
  if (IsUnheard(why)) {
    return absl::FailedPreconditionError(
        absl::StrCat(peer, " cannot be asked (", why.message(),
                     "); a change needs both nodes: bring it back, or give it up (zctl cluster "
                     "unconfigure --local)"));
  }
  return absl::Status(why.code(), absl::StrCat(peer, ": ", why.message()));
}

std::string DigestOf(const v1::PairConfig& config) { return Sha256(PairText(config)); }

}  // namespace

Configuration::Configuration(Loop& loop, Node& node, const Paths& paths, config::Settings settings,
                             v1::PairConfig present)
    : loop_(loop),
      node_(node),
      paths_(paths),
      settings_(std::move(settings)),
      present_(std::move(present)),
      used_(DigestOf(present_)),
      calls_(loop, node.peer()),
      timer_(loop.Every(kLookEvery, [this] { Compare(); })) {}

Configuration::~Configuration() {
  *alive_ = false;
  const absl::Status over = absl::UnavailableError("the member of the pair ended meanwhile");
  if (change_) change_->done(over);
  for (const Done& done : awaiting_use_) done(over);
}

absl::StatusOr<config::Settings> Configuration::Read(const v1::PairConfig& wanted) const {
  const std::string text = PairText(wanted);
  if (text.size() > kMaxDocument) {
    return absl::InvalidArgumentError(
        absl::StrCat("pair.yaml: would have ", text.size(), " bytes; at most ", kMaxDocument));
  }
  ZC_ASSIGN_OR_RETURN(config::PairSettings pair,
                      config::ParsePair("pair.yaml", text, settings_.agent));
  config::Settings settings = settings_;
  settings.pair = std::move(pair);
  return settings;
}

void Configuration::CheckHere(const v1::PairConfig& wanted, Done done) {
  const absl::StatusOr<config::Settings> settings = Read(wanted);
  if (!settings.ok()) return done(settings.status());
  node_.Check(*settings, [alive = alive_, done = std::move(done)](const absl::Status& status) {
    if (*alive) done(status);
  });
}

void Configuration::Check(const v1::PairConfig& wanted, Done done) {
  CheckHere(wanted, [this, wanted, done](const absl::Status& here) {
    if (!here.ok()) return done(here);
    v1::ProposeRequest request;
    request.set_document(PairText(wanted));
    request.set_base(present_.generation());
    request.set_base_digest(DigestOf(present_));
    request.set_check_only(true);
    calls_.Propose(request, [this, done](const absl::StatusOr<v1::ProposeResponse>& there) {
      done(there.ok() ? absl::OkStatus() : FromPeer(settings_.agent.peer_name, there.status()));
    });
  });
}

// ---- A change that begins here ----

void Configuration::Apply(v1::PairConfig wanted, Step step, Done done) {
  Begin(std::move(wanted), /*even_alone=*/false, std::move(step), std::move(done));
}

void Configuration::ApplyEvenAlone(v1::PairConfig wanted, Step step, Done done) {
  Begin(std::move(wanted), /*even_alone=*/true, std::move(step), std::move(done));
}

void Configuration::Begin(v1::PairConfig wanted, bool even_alone, Step step, Done done) {
  if (busy()) {
    return done(
        absl::AbortedError("another change is under way; look at its result, then try again"));
  }
  wanted.set_generation(present_.generation() + 1);
  wanted.set_term(std::max(present_.term(), node_.view().term.value));
  change_ = Change{.wanted = std::move(wanted),
                   .base = DigestOf(present_),
                   .even_alone = even_alone,
                   .step = std::move(step),
                   .done = std::move(done)};
  CheckHere(change_->wanted, [this](const absl::Status& here) {
    if (!here.ok()) return End(here);
    change_->step(absl::StrCat(settings_.agent.node_name, " would take it"));
    ProposeToPeer();
  });
}

void Configuration::ProposeToPeer() {
  v1::ProposeRequest request;
  request.set_document(PairText(change_->wanted));
  request.set_base(change_->wanted.generation() - 1);
  request.set_base_digest(change_->base);
  calls_.Propose(request, [this](const absl::StatusOr<v1::ProposeResponse>& there) {
    const std::string& peer = settings_.agent.peer_name;
    if (there.ok()) {
      change_->step(absl::StrCat(peer, " would take it, and keeps it on disk"));
      return Decide();
    }
    if (IsUnheard(there.status()) && change_->even_alone) {
      change_->step(absl::StrCat(peer, " cannot be asked (", there.status().message(), ")"));
      change_->unheard = true;
      return Decide();
    }
    // Whether it heard us or not: what is not committed counts for nothing.
    v1::AbandonRequest abandon;
    abandon.set_generation(change_->wanted.generation());
    calls_.Abandon(abandon, [](const absl::StatusOr<v1::AbandonResponse>&) {});
    End(FromPeer(peer, there.status()));
  });
}

void Configuration::Decide() {
  // The peer's own change may have come meanwhile.
  if (DigestOf(present_) != change_->base) {
    return End(absl::AbortedError("another change came first; look at it, then try again"));
  }
  const bool master = node_.view().local.role == core::Role::kMaster;
  const bool peer_goes_first = master ? BackupGoesFirst(present_, change_->wanted)
                                      : MasterGoesFirst(present_, change_->wanted);
  if (const absl::Status kept = Keep(change_->wanted); !kept.ok()) return End(kept);
  change_->step(
      absl::StrCat("decided: generation ", present_.generation(), ", term ", present_.term()));
  if (peer_goes_first && !change_->unheard) return CommitOnPeer();
  Use([this](const absl::Status& used) {
    if (!used.ok()) {
      change_->step(
          absl::StrCat("not in use on ", settings_.agent.node_name, " yet: ", used.message()));
    } else {
      change_->step(absl::StrCat("in use on ", settings_.agent.node_name));
    }
    // The peer asks for it when it is back.
    if (change_->unheard) return End(used);
    CommitOnPeer();
  });
}

void Configuration::CommitOnPeer() {
  v1::CommitRequest request;
  request.set_generation(present_.generation());
  request.set_digest(DigestOf(present_));
  calls_.Commit(request, [this](const absl::StatusOr<v1::CommitResponse>& there) {
    const std::string& peer = settings_.agent.peer_name;
    change_->step(there.ok() ? absl::StrCat("in use on ", peer)
                             : absl::StrCat(peer, " did not say that it uses it (",
                                            there.status().message(),
                                            "); it holds it, and takes it as soon as it is back"));
    // It was to go first, and has not: used here, the interval would make it take over.
    peer_first_ = !there.ok() && !InUse();
    FinishHere();
  });
}

void Configuration::FinishHere() {
  if (peer_first_) {
    return End(absl::UnknownError(
        absl::StrCat("decided; this node uses it as soon as ", settings_.agent.peer_name,
                     " does: `zctl cluster describe` shows the generations")));
  }
  if (InUse()) return End(absl::OkStatus());
  Use([this](const absl::Status& used) {
    if (used.ok()) change_->step(absl::StrCat("in use on ", settings_.agent.node_name));
    End(used.ok() ? used
                  : absl::UnknownError(absl::StrCat(
                        "decided, but not in use on ", settings_.agent.node_name,
                        " yet: ", used.message(), "; it is tried again each second or two")));
  });
}

void Configuration::End(const absl::Status& status) {
  const Done done = std::move(change_->done);
  change_.reset();
  done(status);
}

// ---- Kept, and used ----

absl::Status Configuration::Keep(const v1::PairConfig& wanted) {
  ZC_RETURN_IF_ERROR(WriteFileDurably(paths_.pair_file, PairText(wanted), kMode));
  present_ = wanted;
  log::Info("configuration_kept", {{"generation", absl::StrCat(wanted.generation())},
                                   {"term", absl::StrCat(wanted.term())}});
  // Left behind it would only be an old proposal, of no consequence.
  RemoveFileDurably(paths_.ProposalFile()).IgnoreError();
  return absl::OkStatus();
}

void Configuration::Use(Done done) {
  awaiting_use_.push_back(std::move(done));
  if (!using_) UseNext();
}

void Configuration::UseNext() {
  using_ = true;
  const std::string digest = DigestOf(present_);
  const auto taken = [this, digest, alive = alive_](const absl::Status& status) {
    if (!*alive) return;
    using_ = false;
    if (status.ok()) used_ = digest;
    // Another one was kept meanwhile: that one then.
    if (status.ok() && !InUse()) return UseNext();
    for (const Done& done : std::exchange(awaiting_use_, {})) done(status);
  };
  absl::StatusOr<config::Settings> settings = Read(present_);
  if (!settings.ok()) return taken(settings.status());
  settings_ = *std::move(settings);
  node_.Reconfigure(settings_, taken);
}

// ---- What the peer asks ----

void Configuration::Propose(const v1::ProposeRequest& request, Done done) {
  if (busy()) return done(absl::AbortedError("a change that was begun here is under way"));
  if (request.base() != present_.generation() || request.base_digest() != DigestOf(present_)) {
    return done(absl::AbortedError(absl::StrCat(
        "holds generation ", present_.generation(), ", but the change was made from another ",
        request.base(), "; they agree again within some seconds")));
  }
  if (request.document().size() > kMaxDocument) {
    return done(absl::InvalidArgumentError("the document is too large"));
  }
  const absl::StatusOr<v1::PairConfig> wanted = config::ReadPairFile(
      absl::StrCat("on ", settings_.agent.node_name), request.document(), settings_.agent);
  if (!wanted.ok()) return done(wanted.status());
  if (!request.check_only() && wanted->term() < node_.view().term.value) {
    return done(absl::FailedPreconditionError(
        absl::StrCat("has seen term ", node_.view().term.value, ", the change is of term ",
                     wanted->term(), ": it comes from a former master")));
  }
  if (wanted->name() != present_.name()) {
    return done(absl::InvalidArgumentError("name: the pair cannot be renamed"));
  }
  CheckHere(*wanted, [this, request, done](const absl::Status& here) {
    if (!here.ok() || request.check_only()) return done(here);
    done(WriteFileDurably(paths_.ProposalFile(), request.document(), kMode));
  });
}

void Configuration::Commit(const v1::CommitRequest& request, Done done) {
  if (request.digest() == DigestOf(present_)) return done(absl::OkStatus());
  if (busy()) return done(absl::AbortedError("a change that was begun here is under way"));
  const absl::StatusOr<std::string> text = ReadFile(paths_.ProposalFile(), kMaxDocument);
  if (!text.ok() || Sha256(*text) != request.digest()) {
    return done(absl::NotFoundError("was not proposed that; it asks for it within seconds"));
  }
  absl::StatusOr<v1::PairConfig> wanted =
      config::ReadPairFile(paths_.ProposalFile(), *text, settings_.agent);
  if (!wanted.ok()) return done(wanted.status());
  if (!IsLater(*wanted, present_)) {
    return done(absl::AbortedError("holds a later configuration by now"));
  }
  if (const absl::Status kept = Keep(*wanted); !kept.ok()) return done(kept);
  Use(std::move(done));
}

absl::Status Configuration::Abandon(const v1::AbandonRequest&) {
  return RemoveFileDurably(paths_.ProposalFile());
}

v1::FetchResponse Configuration::Fetch(const v1::FetchRequest& request) const {
  v1::FetchResponse response;
  response.set_generation(present_.generation());
  response.set_term(present_.term());
  if (request.digest() != DigestOf(present_)) response.set_document(PairText(present_));
  response.set_interface(settings_.agent.interface);
  response.set_api_port(static_cast<uint32_t>(settings_.agent.api_port));
  return response;
}

// ---- Anti-entropy ----

void Configuration::Compare() {
  if (!node_.running()) return;
  if (peer_.generation() != 0 && ++looks_ % kCompareEvery != 0) return;
  if (!InUse() && !using_ && !peer_first_) {
    Use([](const absl::Status& used) {
      if (!used.ok()) {
        log::Warning("configuration_not_used", {{"problem", std::string(used.message())}});
      }
    });
  }
  if (busy() || comparing_ || !node_.view().link.up) return;
  comparing_ = true;
  v1::FetchRequest request;
  request.set_digest(DigestOf(present_));
  calls_.Fetch(request, [this](const absl::StatusOr<v1::FetchResponse>& answer) {
    comparing_ = false;
    if (!answer.ok()) return;
    peer_ = *answer;
    std::string document;
    document.swap(*peer_.mutable_document());
    if (document.empty()) peer_first_ = false;  // it holds what we hold
    if (!busy() && !document.empty()) Take(document);
  });
}

void Configuration::Take(const std::string& document) {
  const std::string name = absl::StrCat("pair.yaml of ", settings_.agent.peer_name);
  const absl::StatusOr<v1::PairConfig> theirs =
      document.size() > kMaxDocument ? absl::InvalidArgumentError("is too large")
                                     : config::ReadPairFile(name, document, settings_.agent);
  if (theirs.ok() && !IsLater(*theirs, present_)) return;
  if (!theirs.ok() || theirs->name() != present_.name()) {
    const std::string problem(theirs.ok() ? "is of another pair" : theirs.status().message());
    if (problem != refused_) log::Warning("configuration_refused", {{"problem", problem}});
    refused_ = problem;
    return;
  }
  refused_.clear();
  log::Info("configuration_taken", {{"from", settings_.agent.peer_name},
                                    {"generation", absl::StrCat(theirs->generation())},
                                    {"instead_of", absl::StrCat(present_.generation())}});
  const v1::PairConfig before = present_;
  if (const absl::Status kept = Keep(*theirs); !kept.ok()) {
    log::Warning("configuration_not_kept", {{"problem", std::string(kept.message())}});
    return;
  }
  peer_first_ = false;
  // Made where nobody followed: kept for the operator, not lost.
  const bool apart = theirs->generation() <= before.generation();
  if (apart) {
    const std::string aside =
        absl::StrCat(paths_.pair_file, ".lost-", before.term(), "-", before.generation());
    WriteFileDurably(aside, PairText(before), kMode).IgnoreError();
    log::Warning("configuration_set_aside", {{"file", aside}});
  }
  Use([this, apart, before](const absl::Status& used) {
    if (!used.ok()) {
      log::Warning("configuration_not_used", {{"problem", std::string(used.message())}});
    }
    if (apart) KeepRevoked(before);
  });
}

// Of two lists of operators that were made apart only who is on both stays: a credential that was
// revoked on either side must not come back.
void Configuration::KeepRevoked(const v1::PairConfig& lost) {
  v1::PairConfig wanted = present_;
  wanted.clear_operators();
  for (const auto& one : present_.operators()) {
    const bool there = std::any_of(
        lost.operators().begin(), lost.operators().end(),
        [&](const auto& other) { return other.name() == one.name() && other.key() == one.key(); });
    if (there) *wanted.add_operators() = one;
    if (!there) log::Warning("operator_dropped", {{"name", one.name()}});
  }
  if (wanted.operators_size() == present_.operators_size()) return;
  ApplyEvenAlone(
      std::move(wanted), [](const std::string&) {},
      [](const absl::Status& status) {
        if (!status.ok()) {
          log::Warning("operators_not_dropped", {{"problem", std::string(status.message())}});
        }
      });
}

}  // namespace zcluster::lifecycle
