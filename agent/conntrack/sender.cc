// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/sender.h"

#include <algorithm>

#include "agent/conntrack/batch.h"
#include "agent/conntrack/kernel_writer.h"
#include "agent/conntrack/wire_expectation.h"

namespace zcluster::conntrack {

std::shared_ptr<Sender> Sender::Open(Call call, const std::shared_ptr<grpc::Channel>& channel,
                                     std::shared_ptr<Changes> changes,
                                     std::shared_ptr<const std::atomic<uint64_t>> term,
                                     Listener listener) {
  std::shared_ptr<Sender> sender(
      new Sender(channel, std::move(changes), std::move(term), std::move(listener)));
  sender->self_ = sender;
  if (call == Call::kMerge) {
    sender->stub_->async()->Merge(&sender->context_, sender.get());
  } else {
    sender->stub_->async()->Replicate(&sender->context_, sender.get());
  }
  sender->StartRead(&sender->ack_);
  sender->StartCall();
  return sender;
}

Sender::Sender(const std::shared_ptr<grpc::Channel>& channel, std::shared_ptr<Changes> changes,
               std::shared_ptr<const std::atomic<uint64_t>> term, Listener listener)
    : stub_(v1::ConntrackService::NewStub(channel)),
      changes_(std::move(changes)),
      term_(std::move(term)),
      listener_(std::move(listener)) {
  context_.set_wait_for_ready(true);
}

void Sender::OnReadInitialMetadataDone(bool ok) {
  if (!ok) return;
  const auto& answer = context_.GetServerInitialMetadata();
  const auto takes = answer.find(kTakesKey);
  listener_.up(takes == answer.end() || takes->second != kTakesAll);
}

void Sender::Pump() {
  std::vector<std::function<void()>> done;
  {
    absl::MutexLock lock(&mutex_);
    Write();
    done = TakeAcknowledged();
  }
  for (const std::function<void()>& call : done) call();
}

void Sender::Write() {
  if (!open_ || writing_ || under_way_.size() >= kWindow) return;
  // As many as the peer's kernel takes in one call.
  if (!changes_->Take(KernelWriter::kMaxBatch, batch_)) {
    if (under_way_.empty()) acknowledged_ = std::max(acknowledged_, batch_.end);
    return;
  }
  message_.Clear();
  message_.set_term(term_->load());
  message_.set_sequence(++sequence_);
  message_.set_snapshot_begins(batch_.snapshot_begins);
  message_.set_snapshot_ends(batch_.snapshot_ends);
  for (const Flow& flow : batch_.flows) conntrack::Write(flow, *message_.add_flows());
  for (const Expectation& expectation : batch_.expectations)
    conntrack::Write(expectation, *message_.add_expectations());
  if (batch_.snapshot_begins) {
    ++snapshot_;
    synchronised_ = false;
  }
  under_way_.push_back(
      {sequence_, batch_.end, batch_.oldest, batch_.snapshot_ends ? snapshot_ : 0, batch_.digest});
  writing_ = true;
  ++sent_.batches;
  sent_.bytes += message_.ByteSizeLong();
  StartWrite(&message_);
}

void Sender::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) return;  // the read ends too, and says why
  }
  Pump();
}

void Sender::OnReadDone(bool ok) {
  bool flipped = false;
  {
    absl::MutexLock lock(&mutex_);
    const bool before = synchronised_;
    if (!ok) {
      open_ = false;
      synchronised_ = false;
      return;  // OnDone tells
    }
    if (!Account(ack_)) context_.TryCancel();
    flipped = before != synchronised_;
  }
  Pump();
  if (flipped) listener_.flipped();
  StartRead(&ack_);
}

bool Sender::Account(const v1::FlowAck& ack) {
  if (ack.sequence() > sequence_) return false;
  while (!under_way_.empty() && under_way_.front().sequence <= ack.sequence()) {
    const Sent& sent = under_way_.front();
    if (sent.snapshot != 0 && sent.snapshot == snapshot_) synchronised_ = true;
    acknowledged_ = sent.end;
    answered_ = sent.sequence;
    digest_ = sent.digest;
    under_way_.pop_front();
  }
  // The peer may say more than once what it makes of a batch, when that changes by itself.
  if (ack.sequence() == answered_ && ack.has_digest())
    compared_ = {ack.digest(), ack.digest() != digest_};
  refused_ = ack.refused();
  lack_ = {ack.missing(), ack.table_entries(), ack.table_maximum()};
  return true;
}

std::vector<std::function<void()>> Sender::TakeAcknowledged() {
  std::vector<std::function<void()>> done;
  if (!synchronised_ || waiters_.empty() || changes_->SnapshotOpen()) return done;
  for (auto& [position, call] : waiters_) {
    if (position <= acknowledged_) done.push_back(std::exchange(call, {}));
  }
  waiters_.erase(
      std::remove_if(waiters_.begin(), waiters_.end(), [](const auto& w) { return !w.second; }),
      waiters_.end());
  return done;
}

void Sender::WhenAcknowledged(uint64_t position, std::function<void()> done) {
  {
    absl::MutexLock lock(&mutex_);
    waiters_.emplace_back(position, std::move(done));
  }
  Pump();
}

void Sender::OnDone(const grpc::Status& status) {
  listener_.closed(
      absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
  self_.reset();
}

bool Sender::synchronised() const {
  absl::MutexLock lock(&mutex_);
  return synchronised_;
}

absl::Duration Sender::Lag(absl::Time now) const {
  absl::MutexLock lock(&mutex_);
  absl::Time oldest = changes_->Oldest();
  if (!under_way_.empty()) oldest = std::min(oldest, under_way_.front().oldest);
  return oldest < now ? now - oldest : absl::ZeroDuration();
}

Sender::Compared Sender::compared() const {
  absl::MutexLock lock(&mutex_);
  return compared_;
}

Lack Sender::lack() const {
  absl::MutexLock lock(&mutex_);
  return lack_;
}

Sender::Volume Sender::sent() const {
  absl::MutexLock lock(&mutex_);
  return sent_;
}

uint64_t Sender::refused() const {
  absl::MutexLock lock(&mutex_);
  return refused_;
}

}  // namespace zcluster::conntrack
