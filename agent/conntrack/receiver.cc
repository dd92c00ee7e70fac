// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/receiver.h"

#include <grpcpp/support/server_callback.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "agent/conntrack/batch.h"
#include "agent/conntrack/sender.h"
#include "agent/conntrack/wire_expectation.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

// An acknowledgement costs the two nodes as much as a batch, so one stands for many. Half of what a
// master may have under way: it does not wait for one.
constexpr uint64_t kBatchesTold = Sender::kWindow / 2;

// The receiver's end of one stream. Acknowledges kBatchesTold batches, or what came until the
// injector says that it is time. gRPC takes one write at a time: what is applied meanwhile is
// acknowledged with the next.
class ReplicateStream : public grpc::ServerBidiReactor<v1::FlowBatch, v1::FlowAck>,
                        public Gate::Stream,
                        public std::enable_shared_from_this<ReplicateStream> {
 public:
  explicit ReplicateStream(const std::shared_ptr<Gate>& gate)
      : Gate::Stream(gate->Arrive()), gate_(gate) {}

  void Begin(const absl::Status& closed) {
    self_ = shared_from_this();
    if (!closed.ok()) return End(closed);
    StartSendInitialMetadata();  // the master waits for it before it makes a snapshot
    StartRead(&message_);
  }

  void End(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!end_) end_ = status;
    Advance();
  }

 private:
  void OnReadDone(bool ok) override {
    // A master that goes cancels (OnCancel says so then); gRPC does not tell its silence from bytes
    // that are no batch.
    if (!ok) return End(absl::InvalidArgumentError("not a FlowBatch, or the end without a word"));
    const absl::Status taken = Take();
    if (taken.ok()) return StartRead(&message_);
    // A master that came too early or too late hears why, and says so itself; one that breaks the
    // protocol needs somebody to look.
    if (!absl::IsFailedPrecondition(taken)) {
      log::Warning("conntrack_stream_refused", {{"reason", std::string(taken.message())}});
    }
    End(taken);
  }

  void OnWriteDone(bool /*ok*/) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    Advance();
  }

  void OnCancel() override { End(absl::CancelledError("the master is gone")); }

  void OnDone() override {
    gate_->Gone(this);
    self_.reset();
  }

  absl::Status Take() {
    ZC_RETURN_IF_ERROR(order_.Check(message_));
    Injector::Batch batch;
    ZC_RETURN_IF_ERROR(Read(message_, batch.flows));
    ZC_RETURN_IF_ERROR(Read(message_, batch.expectations));
    batch.snapshot_begins = message_.snapshot_begins();
    batch.snapshot_ends = message_.snapshot_ends();
    const uint64_t sequence = message_.sequence();
    batch.applied = [self = shared_from_this(), sequence](const Injector::Applied& applied) {
      self->Note(sequence, applied, /*tell=*/false);
    };
    batch.later = [self = shared_from_this(), sequence](const Injector::Applied& applied) {
      self->Note(sequence, applied, /*tell=*/true);
    };
    return gate_->Push(shared_from_this(), message_.term(), std::move(batch));
  }

  void Note(uint64_t sequence, const Injector::Applied& applied, bool tell)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!refused_before_) refused_before_ = applied.refused;
    applied_ = sequence;
    refused_ = applied.refused - *refused_before_;
    digest_ = applied.digest;
    lack_ = applied.lack;
    untold_ = untold_ || tell || applied_ - told_ >= kBatchesTold;
    Advance();
  }

  // Starts what can be started. Nothing may follow Finish.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (end_) {
      finished_ = true;
      Finish(ToGrpc(*end_));
    } else if (std::exchange(untold_, false)) {
      told_ = applied_;
      ack_.set_sequence(applied_);
      ack_.set_refused(refused_);
      ack_.clear_digest();
      if (digest_) ack_.set_digest(*digest_);
      ack_.set_missing(lack_.flows);
      ack_.set_table_entries(lack_.entries);
      ack_.set_table_maximum(lack_.maximum);
      writing_ = true;
      StartWrite(&ack_);
    }
  }

  const std::shared_ptr<Gate> gate_;
  std::shared_ptr<ReplicateStream> self_;  // gRPC's share; given back in OnDone
  v1::FlowBatch message_;                  // being read
  BatchOrder order_;

  absl::Mutex mutex_;
  v1::FlowAck ack_ ABSL_GUARDED_BY(mutex_);
  uint64_t applied_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t told_ ABSL_GUARDED_BY(mutex_) = 0;
  bool untold_ ABSL_GUARDED_BY(mutex_) = false;  // and it is time to tell
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<uint64_t> digest_ ABSL_GUARDED_BY(mutex_);  // with applied_
  Lack lack_ ABSL_GUARDED_BY(mutex_);
  absl::optional<uint64_t> refused_before_ ABSL_GUARDED_BY(mutex_);  // this stream
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

ReplicateStream* Serve(const std::shared_ptr<Gate>& gate, grpc::CallbackServerContext& context) {
  auto stream = std::make_shared<ReplicateStream>(gate);
  const absl::Status closed = gate->Closed();
  // With a refusal it would look like the answer after which a snapshot is made.
  if (closed.ok()) context.AddInitialMetadata(kTakesKey, kTakesAll);
  stream->Begin(closed);
  return stream.get();
}

}  // namespace

void Gate::Open(uint64_t term, Injector& injector) {
  absl::MutexLock lock(&mutex_);
  injector_ = &injector;
  reason_ = absl::OkStatus();
  term_ = role_ == For::kMaster ? term : std::max(term_, term);
}

void Gate::Shut(const absl::Status& reason) {
  std::shared_ptr<Stream> ended;
  {
    absl::MutexLock lock(&mutex_);
    injector_ = nullptr;
    reason_ = reason;
    synchronised_ = false;
    ended.swap(stream_);
  }
  if (ended) ended->End(reason);
}

uint64_t Gate::Arrive() {
  absl::MutexLock lock(&mutex_);
  return ++arrivals_;
}

absl::Status Gate::Closed() const {
  absl::MutexLock lock(&mutex_);
  return reason_;
}

absl::Status Gate::Push(const std::shared_ptr<Stream>& stream, uint64_t term,
                        Injector::Batch batch) {
  std::shared_ptr<Stream> superseded;
  absl::Status pushed;
  bool changed = false;
  {
    absl::MutexLock lock(&mutex_);
    ZC_RETURN_IF_ERROR(Admit(stream, term, superseded));
    changed = superseded != nullptr || batch.snapshot_begins;
    batch.merge = role_ == For::kMaster;
    if (batch.snapshot_begins) {
      ++snapshot_;
      synchronised_ = false;
    }
    if (batch.snapshot_ends) {
      batch.applied = [gate = shared_from_this(), number = snapshot_,
                       applied = std::move(batch.applied)](const Injector::Applied& what) {
        gate->SnapshotApplied(number);
        applied(what);
      };
    }
    if (!injector_->TryPush(std::move(batch))) {
      pushed = absl::ResourceExhaustedError(
          absl::StrCat("more than ", Injector::kMaxWaiting, " batches are not applied yet"));
    }
  }
  if (superseded) superseded->End(absl::AbortedError("a newer stream replaces this one"));
  if (changed) changed_();
  return pushed;
}

absl::Status Gate::Admit(const std::shared_ptr<Stream>& stream, uint64_t term,
                         std::shared_ptr<Stream>& superseded) {
  ZC_RETURN_IF_ERROR(reason_);
  if (role_ == For::kMaster && term > term_) {
    return absl::FailedPreconditionError(
        absl::StrCat("this node is master of term ", term_, ", which is before term ", term));
  }
  if (role_ == For::kBackup && term < term_) {
    return absl::FailedPreconditionError(
        absl::StrCat("term ", term, " is over: this node knows of term ", term_));
  }
  if (stream_ != stream) {
    if (stream->arrival() <= latest_arrival_ && term <= latest_term_)
      return absl::FailedPreconditionError("a newer stream has replaced this one");
    superseded = std::exchange(stream_, stream);
    synchronised_ = false;
    latest_arrival_ = stream->arrival();
  }
  latest_term_ = term;
  if (role_ == For::kBackup) term_ = term;
  return absl::OkStatus();
}

void Gate::SnapshotApplied(uint64_t number) {
  {
    absl::MutexLock lock(&mutex_);
    if (number != snapshot_ || stream_ == nullptr) return;
    synchronised_ = true;
  }
  changed_();
}

void Gate::Gone(const Stream* stream) {
  {
    absl::MutexLock lock(&mutex_);
    if (stream_.get() != stream) return;
    stream_.reset();
    synchronised_ = false;
  }
  changed_();
}

bool Gate::live() const {
  absl::MutexLock lock(&mutex_);
  return stream_ != nullptr;
}

bool Gate::synchronised() const {
  absl::MutexLock lock(&mutex_);
  return synchronised_;
}

grpc::ServerBidiReactor<v1::FlowBatch, v1::FlowAck>* Receiver::Replicate(
    grpc::CallbackServerContext* context) {
  return Serve(replicate_, *context);
}

grpc::ServerBidiReactor<v1::FlowBatch, v1::FlowAck>* Receiver::Merge(
    grpc::CallbackServerContext* context) {
  return Serve(merge_, *context);
}

}  // namespace zcluster::conntrack
