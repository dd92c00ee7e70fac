// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/conntrack.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/capture.h"
#include "agent/conntrack/changes.h"
#include "agent/conntrack/comparison_service.h"
#include "agent/conntrack/flow_service.h"
#include "agent/conntrack/inject.h"
#include "agent/conntrack/kernel.h"
#include "agent/conntrack/mailbox.h"
#include "agent/conntrack/receiver.h"
#include "agent/conntrack/sender.h"
#include "agent/conntrack/tally.h"
#include "agent/conntrack/tap.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

constexpr absl::Duration kReportEvery = absl::Seconds(1);
constexpr absl::Duration kFirstRetry = absl::Milliseconds(100);
constexpr absl::Duration kLongestRetry = absl::Seconds(2);
// kHoldTimeout is 90 days: entries whose flows never change must hear of us before.
constexpr absl::Duration kRenewEvery = absl::Hours(24);

absl::Status SwitchedOff() {
  return absl::FailedPreconditionError("replication is switched off on this node");
}

}  // namespace

Conntrack::Conntrack(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer, Guard& guard)
    : loop_(loop),
      options_(std::move(options)),
      peer_(std::move(peer)),
      mail_(std::make_shared<Mailbox>(loop)),
      term_(std::make_shared<std::atomic<uint64_t>>(0)),
      replicate_(options_.replicate),
      labels_(options_.labels),
      rules_(options_.rules),
      changes_(std::make_shared<Changes>([this] { Pump(); })),
      tap_(std::make_unique<Tap>()),
      flow_service_(std::make_unique<FlowService>(
          loop, guard, *tap_,
          FlowService::Subject{options_.node_name, peer_, mail_, MakePairing()})),
      comparison_service_(std::make_unique<ComparisonService>(loop, guard, MakePairing())),
      tally_(std::make_unique<Tally>(loop, mail_, MakePairing().alone)),
      backoff_(kFirstRetry, kLongestRetry),
      gate_(std::make_shared<Gate>(
          Gate::For::kBackup, [this, mail = mail_] { mail->Post([this] { OnGateChanged(); }); })),
      merge_gate_(std::make_shared<Gate>(Gate::For::kMaster, [] {})),
      receiver_(std::make_unique<Receiver>(gate_, merge_gate_)) {}

Conntrack::~Conntrack() { Stop(); }

grpc::Service& Conntrack::service() { return *receiver_; }

grpc::Service& Conntrack::comparison_service() { return *comparison_service_; }

grpc::Service& Conntrack::flow_service() { return *flow_service_; }

absl::Status Conntrack::Start(EventSink& events) {
  events_ = &events;
  tick_ = loop_.Every(kReportEvery, [this] {
    Repair();
    Report(false);
  });
  if (replicate_) {
    ZC_RETURN_IF_ERROR(Prepare());
  } else {
    gate_->Shut(SwitchedOff());
    merge_gate_->Shut(SwitchedOff());
  }
  Report(false);
  return absl::OkStatus();
}

absl::Status Conntrack::Prepare() {
  ZC_ASSIGN_OR_RETURN(Filter filter, Filter::Make(options_.own_addresses, rules_));
  filter_ = std::make_unique<Filter>(std::move(filter));
  ZC_RETURN_IF_ERROR(TurnEventsOn(options_.state_file));
  tally_->Start(options_.count_every);
  ZC_ASSIGN_OR_RETURN(injector_, Injector::Start(*filter_));
  renew_ = loop_.Every(kRenewEvery, [this] {
    if (gate_->live()) injector_->Renew();
  });
  return absl::OkStatus();
}

void Conntrack::Reconfigure(bool replicate, bool labels, FlowRules rules) {
  SwitchWanted(labels, std::move(rules));
  if (replicate_ == replicate) return;
  replicate_ = replicate;
  if (events_ == nullptr) return;
  if (!replicate) {
    SwitchOff();
  } else {
    const absl::Status prepared = injector_ ? absl::OkStatus() : Prepare();
    prepare_problem_ = std::string(prepared.message());
    if (!prepared.ok()) log::Warning("conntrack_not_replicated", {{"problem", prepare_problem_}});
    if (assumed_) Assume(*assumed_);
  }
  Report(true);
}

void Conntrack::SwitchOff() {
  prepare_problem_.clear();
  for (const PendingFlush& flush : std::exchange(flushes_, {})) flush.done(absl::OkStatus());
  if (role_ == core::Role::kMaster) StopLeading();
  gate_->Shut(SwitchedOff());
  merge_gate_->Shut(SwitchedOff());
  if (injector_) OnGateChanged();
  role_ = core::Role::kUnknown;
}

void Conntrack::SwitchWanted(bool labels, FlowRules rules) {
  if (labels_ == labels && rules_ == rules) return;
  labels_ = labels;
  rules_ = std::move(rules);
  if (filter_) *filter_ = *Filter::Make(options_.own_addresses, rules_);
  if (injector_) injector_->SetFilter(*filter_);
  if (!capture_) return;
  // What it had read, it read as it was told before. The snapshot that follows makes up for what is
  // missed meanwhile.
  overruns_before_ += capture_->overruns();
  capture_.reset();
  StartCapture();
  if (capture_ && changes_->Wanted()) capture_->RequestSnapshot();
}

void Conntrack::Perform(const core::Action& action) {
  if (const auto* assume = std::get_if<core::AssumeRole>(&action)) {
    assumed_ = *assume;
    Assume(*assume);
  } else if (const auto* flush = std::get_if<core::Flush>(&action)) {
    if (flush->replicator == core::Replicator::kConntrack) Flush(flush->operation);
  } else if (std::holds_alternative<core::Announce>(action)) {
    // A master that announces again won against another, which had the clients for a moment.
    if (role_ == core::Role::kMaster && injector_) injector_->Loosen();
  }
}

void Conntrack::Stop() {
  mail_->Shut();
  flow_service_->Stop();
  comparison_service_->Stop();
  tally_->Stop();
  tick_.reset();
  renew_.reset();
  release_.reset();
  StopLeading();
  gate_->Shut(absl::UnavailableError("the agent of this node stops"));
  merge_gate_->Shut(absl::UnavailableError("the agent of this node stops"));
  injector_.reset();
  events_ = nullptr;
}

void Conntrack::Assume(const core::AssumeRole& order) {
  if (!replicate_ || !injector_ || events_ == nullptr) return;
  term_->store(order.term.value);
  if (order.role == core::Role::kMaster || order.merge) {
    Lead(order);
    role_ = core::Role::kMaster;
  } else {
    if (role_ == core::Role::kMaster) StopLeading();
    merge_gate_->Shut(absl::FailedPreconditionError("this node is not master"));
    if (StandsBy(order.role)) {
      Follow(order.term);
    } else {
      gate_->Shut(absl::FailedPreconditionError("this node does not stand by"));
      OnGateChanged();
    }
    role_ = order.role;
  }
  Report(true);
}

// Nothing is left to commit: what the old master sent is in the kernel, or will be once the
// injector has emptied its queue. The entries get their own timeouts once the first rush is over.
void Conntrack::Lead(const core::AssumeRole& order) {
  const bool leads = role_ == core::Role::kMaster;
  if (order.merge) {
    gate_->Shut(absl::FailedPreconditionError("this node gives its own flows away first"));
    merge_gate_->Shut(absl::FailedPreconditionError("this node gives way itself"));
  } else {
    gate_->Shut(absl::FailedPreconditionError("this node is master itself"));
    merge_gate_->Open(order.term.value, *injector_);
  }
  if (leads && merge_ == order.merge) return;
  merge_ = order.merge;
  if (leads) {
    StopLeading();
  } else {
    injector_->GiveUp();
    ReleaseLater();
  }
  backoff_.Reset();
  StartCapture();
  OpenStream();
}

void Conntrack::StopLeading() {
  retry_.reset();
  const absl::Status over = absl::FailedPreconditionError("this node is no longer master");
  for (const PendingFlush& flush : std::exchange(flushes_, {})) flush.done(over);
  for (const PendingSnapshot& awaited : std::exchange(awaited_snapshots_, {})) awaited.done(over);
  if (const std::shared_ptr<Sender> sender = this->sender()) {
    Keep(*sender);
    sender->Cancel();
  }
  SetSender(nullptr);
  ++stream_;  // what the old one still says is void
  if (capture_) overruns_before_ += capture_->overruns();
  capture_.reset();
  capture_problem_.clear();
  changes_->Stop();
}

void Conntrack::Follow(core::Term term) { gate_->Open(term.value, *injector_); }

void Conntrack::StartCapture() {
  Capture::Options options{options_.event_buffer, injector_->port(), *filter_, labels_, tap_.get()};
  absl::StatusOr<std::unique_ptr<Capture>> capture =
      Capture::Start(std::move(options), *changes_,
                     [this, mail = mail_] { mail->Post([this] { Report(true); }); });
  if (capture.ok()) {
    capture_ = *std::move(capture);
    capture_->OnlyPlain(only_plain_);
    capture_problem_.clear();
    for (PendingFlush& flush : flushes_) Advance(flush);
    return;
  }
  capture_problem_ = absl::StrCat("cannot capture: ", capture.status().message());
  log::Warning("conntrack_capture_failed", {{"error", std::string(capture.status().message())}});
}

void Conntrack::OpenStream() {
  retry_.reset();
  if (!capture_) StartCapture();
  const uint64_t number = ++stream_;
  Sender::Listener listener;
  listener.up = [this, mail = mail_, number](bool only_plain) {
    mail->Post([this, number, only_plain] { OnStreamUp(number, only_plain); });
  };
  listener.flipped = [this, mail = mail_, number] {
    mail->Post([this, number] {
      if (number == stream_) OnFlipped();
    });
  };
  listener.closed = [this, mail = mail_, number](const absl::Status& status) {
    mail->Post([this, number, status] { OnStreamClosed(number, status); });
  };
  const auto call = merge_ ? Sender::Call::kMerge : Sender::Call::kReplicate;
  SetSender(Sender::Open(call, peer_, changes_, term_, std::move(listener)));
  for (PendingFlush& flush : flushes_) Advance(flush);
}

void Conntrack::OnStreamUp(uint64_t stream, bool only_plain) {
  if (stream != stream_) return;
  only_plain_ = only_plain;
  if (capture_) capture_->OnlyPlain(only_plain);
  // What the old master sent and still waits for the kernel is muted as our own doing: the snapshot
  // must find it there.
  injector_->Barrier([this, mail = mail_, stream] {
    mail->Post([this, stream] {
      if (stream == stream_ && capture_ && sender()) capture_->RequestSnapshot();
    });
  });
}

void Conntrack::OnFlipped() {
  const std::shared_ptr<Sender> sender = this->sender();
  if (merge_ && sender && sender->synchronised() && !changes_->SnapshotOpen())
    events_->Report(core::Merged{});
  Report(true);
}

void Conntrack::OnStreamClosed(uint64_t stream, const absl::Status& status) {
  if (stream != stream_) return;
  if (const std::shared_ptr<Sender> ended = sender()) Keep(*ended);
  SetSender(nullptr);
  changes_->Stop();
  const std::string problem(status.message());
  if (problem != stream_problem_) {
    log::Info("conntrack_stream_closed", {{"reason", problem}});
    stream_problem_ = problem;
  }
  if (told_.synchronised) backoff_.Reset();
  retry_ = loop_.After(backoff_.Next(), [this] { OpenStream(); });
  Report(true);
}

void Conntrack::Keep(const Sender& ended) {
  refused_before_ += ended.refused();
  batches_before_ += ended.sent().batches;
  bytes_before_ += ended.sent().bytes;
}

std::shared_ptr<Sender> Conntrack::sender() const {
  absl::MutexLock lock(&sender_mutex_);
  return sender_;
}

void Conntrack::SetSender(std::shared_ptr<Sender> sender) {
  absl::MutexLock lock(&sender_mutex_);
  sender_ = std::move(sender);
}

void Conntrack::Pump() {
  if (const std::shared_ptr<Sender> sender = this->sender()) sender->Pump();
}

void Conntrack::OnGateChanged() {
  const bool live = gate_->live();
  if (live) {
    release_.reset();
  } else if (gate_was_live_) {
    ReleaseLater();
  }
  gate_was_live_ = live;
  Report(true);
}

void Conntrack::ReleaseLater() {
  gate_was_live_ = false;
  release_ = loop_.After(options_.hold, [this] { injector_->Release(); });
}

void Conntrack::Flush(core::OperationId operation) {
  if (events_ == nullptr) return;
  if (role_ != core::Role::kMaster) {
    return events_->Report(core::Flushed{operation, core::Replicator::kConntrack});
  }
  WhenFlushed([this, operation](const absl::Status& status) {
    if (status.ok()) events_->Report(core::Flushed{operation, core::Replicator::kConntrack});
  });
}

void Conntrack::WhenFlushed(Done done) {
  flushes_.push_back({++flush_number_, std::move(done), absl::nullopt});
  Advance(flushes_.back());
}

void Conntrack::Advance(PendingFlush& flush) {
  const uint64_t number = flush.number;
  if (!flush.position) {
    if (!capture_) return;
    capture_->Drain([this, mail = mail_, changes = changes_, number] {
      mail->Post([this, number, position = changes->Next()] { OnDrained(number, position); });
    });
  } else if (const std::shared_ptr<Sender> sender = this->sender()) {
    sender->WhenAcknowledged(*flush.position, [this, mail = mail_, number] {
      mail->Post([this, number] { OnFlushed(number); });
    });
  }
}

void Conntrack::OnDrained(uint64_t number, uint64_t position) {
  for (PendingFlush& flush : flushes_) {
    if (flush.number != number || flush.position) continue;
    flush.position = position;
    Advance(flush);
  }
}

void Conntrack::OnFlushed(uint64_t number) {
  flushes_.remove_if([&](const PendingFlush& flush) {
    if (flush.number != number) return false;
    flush.done(absl::OkStatus());
    return true;
  });
}

}  // namespace zcluster::conntrack
