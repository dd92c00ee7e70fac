// SPDX-License-Identifier: Apache-2.0
// Tested by configsync_test.cc: what it does shows only between two nodes.
#include "agent/configsync/replication.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace zcluster::configsync {
namespace {

constexpr absl::Duration kFirstRetry = absl::Milliseconds(100);
constexpr absl::Duration kLongestRetry = absl::Seconds(2);
// A call that lived so long was a good one: the next is made without much delay.
constexpr absl::Duration kGoodCall = absl::Seconds(5);
// The event's bound for a text (wire/wire.h has 1,024).
constexpr size_t kMaxProblem = 1000;

bool Accepts(core::Role role) {
  return role == core::Role::kBackup || role == core::Role::kMaintenance;
}

// Ends of a call that say nothing of a problem with the roots: the link's own report has them.
bool IsOrdinaryEnd(const absl::Status& status) {
  return status.ok() || absl::IsUnavailable(status) || absl::IsCancelled(status) ||
         absl::IsAborted(status);
}

}  // namespace

Replication::Replication(Loop& work, Options options, v1::ConfigSyncService::Stub& peer,
                         EventSink& events)
    : work_(work),
      peer_(peer),
      events_(events),
      kept_dir_(std::move(options.kept_dir)),
      roots_(work, std::move(options.roots), options.settle,
             [this](size_t root) { RootScanned(root); }),
      agreed_(std::move(options.agreed_dir)),
      backoff_(kFirstRetry, kLongestRetry) {}

absl::Status Replication::Open() { return roots_.Open(); }

void Replication::Start() {
  for (size_t i = 0; i < roots_.size(); ++i) {
    const absl::Status status = Stage::RemoveLeftovers(roots_.at(i).root.path);
    if (!status.ok()) {
      log::Warning("config_stage_left",
                   {{"root", roots_.at(i).root.path}, {"problem", std::string(status.message())}});
    }
  }
  roots_.Start();
}

void Replication::AssumeRole(core::Role role, core::Term term) {
  term_ = std::max(term_, term);
  if (role == role_) {
    if (sender_ != nullptr) sender_->set_term(term_);
    return;
  }
  role_ = role;
  ClosePush();
  push_problem_.clear();
  flushes_.clear();
  CloseAccept(absl::FailedPreconditionError("this node changed its role"));
  receiver_.reset();
  if (Accepts(role_)) receiver_ = std::make_unique<Receiver>(roots_, term_, agreed_, kept_dir_);
  if (role_ == core::Role::kMaster) OpenPush();
  Report();
}

void Replication::OpenPush() {
  reopen_.reset();
  if (roots_.size() == 0) return;
  push_opened_ = Loop::Now();
  // The sender exists before the stream, and hears of nothing once another stream took its place.
  sender_ = std::make_unique<Sender>(
      work_, roots_, term_, [this](v1::SyncRequest request) { push_->Write(std::move(request)); },
      [this] {
        NoteAgreed();
        CheckFlushes();
        Report();
      });
  auto stream = std::make_shared<std::weak_ptr<PushStream>>();  // set below, before it is called
  auto is_current = [this, stream] { return push_ != nullptr && push_ == stream->lock(); };
  push_ = PushStream::Open(peer_, work_,
                           {[this, is_current] {
                              if (is_current()) sender_->Sent();
                            },
                            [this, is_current](const v1::SyncReply& reply) {
                              if (!is_current()) return;
                              push_problem_.clear();
                              const absl::Status status = sender_->Receive(reply);
                              if (status.ok()) {
                                push_->ReadNext();
                              } else {
                                EndPush(push_, status);
                              }
                            },
                            [this, stream](const absl::Status& status) {
                              const std::shared_ptr<PushStream> over = stream->lock();
                              EndPush(over, status);
                              closing_.erase(std::remove(closing_.begin(), closing_.end(), over),
                                             closing_.end());
                              TellIfOver();
                            }});
  *stream = push_;
  sender_->Start();
}

void Replication::EndPush(const std::shared_ptr<PushStream>& stream, const absl::Status& status) {
  if (push_ == nullptr || push_ != stream) return;
  if (IsOrdinaryEnd(status)) {
    push_problem_.clear();
  } else {
    const std::string problem = absl::StrCat("the peer refuses: ", status.message());
    if (problem != push_problem_) log::Warning("config_call_ended", {{"problem", problem}});
    push_problem_ = problem;
  }
  if (Loop::Now() - push_opened_ > kGoodCall) backoff_.Reset();
  ClosePush();
  reopen_ = work_.After(backoff_.Next(), [this] { OpenPush(); });
  Report();
}

void Replication::ClosePush() {
  reopen_.reset();
  sender_.reset();
  if (push_ == nullptr) return;
  push_->Cancel();
  closing_.push_back(std::exchange(push_, nullptr));
}

void Replication::TakeRequest(const std::shared_ptr<AcceptStream>& stream,
                              const v1::SyncRequest& request) {
  if (stream->closed()) return;
  if (!Accepts(role_)) {
    stream->Close(absl::FailedPreconditionError("this node is not a backup"));
    return;
  }
  if (stream != accept_) {
    receiver_->NewCall();
    CloseAccept(absl::AbortedError("superseded by another call"));
    accept_ = stream;
  }
  auto reply = receiver_->Receive(request);
  if (!reply.ok()) {
    log::Warning("config_call_refused", {{"problem", std::string(reply.status().message())}});
    receiver_->NewCall();  // drops what was under way
    CloseAccept(reply.status());
  } else if (reply->has_value()) {
    stream->Reply(**std::move(reply));
    EndIfDrifted();
  } else {
    stream->ReadNext();
  }
  Report();
}

void Replication::CloseAccept(const absl::Status& status) {
  if (accept_ != nullptr) std::exchange(accept_, nullptr)->Close(status);
}

void Replication::RootScanned(size_t root) {
  if (sender_ != nullptr) sender_->RootScanned(root);
  EndIfDrifted();
  Report();
}

// Somebody changed a root here since the master put it in place. The master calls again, and its
// tree wins.
void Replication::EndIfDrifted() {
  if (accept_ == nullptr || accept_->closed() || !receiver_->idle()) return;
  for (size_t i = 0; i < roots_.size(); ++i) {
    const auto& committed = receiver_->exchanged(i).committed;
    if (!committed.has_value() || *committed == roots_.at(i).digest) continue;
    const std::string path = Shown(roots_.at(i).root.path);
    log::Warning("config_drifted",
                 {{"root", path}, {"action", "the master's is put in place again"}});
    CloseAccept(absl::AbortedError(absl::StrCat(path, " was changed on the backup")));
    return;
  }
}

void Replication::Flush(core::OperationId operation) {
  if (role_ != core::Role::kMaster) return;
  PendingFlush flush{operation, {}};
  for (size_t i = 0; i < roots_.size(); ++i) flush.scans.push_back(roots_.Rescan(i).scan);
  flushes_.push_back(std::move(flush));
  for (size_t i = 0; i < roots_.size(); ++i) {
    if (sender_ != nullptr) sender_->RootScanned(i);
  }
  CheckFlushes();
  Report();
}

// As master; a backup's receiver does so itself.
void Replication::NoteAgreed() {
  for (size_t i = 0; i < roots_.size(); ++i) {
    const HeldRoot& held = roots_.at(i);
    if (held.readable && sender_->exchanged(i).peer_digest == held.digest.Hex())
      agreed_.Set(held.root.path, held.digest);
  }
}

void Replication::CheckFlushes() {
  for (auto flush = flushes_.begin(); flush != flushes_.end();) {
    bool done = true;
    for (size_t i = 0; i < roots_.size() && done; ++i) {
      done = sender_ != nullptr && sender_->exchanged(i).scan >= flush->scans[i];
    }
    if (!done) {
      ++flush;
      continue;
    }
    events_.Report(core::Flushed{flush->operation, core::Replicator::kConfig});
    flush = flushes_.erase(flush);
  }
}

core::RootState Replication::StateOf(size_t root) const {
  const HeldRoot& held = roots_.at(root);
  core::RootState state;
  state.path = held.root.path;
  if (held.readable) state.local_digest = held.digest.Hex();
  state.entries = held.manifest == nullptr ? 0 : held.manifest->entries.size();
  state.problem = held.problem;
  std::string exchange_problem;
  if (sender_ != nullptr) {
    state.remote_digest = sender_->exchanged(root).peer_digest;
    exchange_problem = sender_->exchanged(root).problem;
  } else if (receiver_ != nullptr) {
    state.remote_digest = receiver_->exchanged(root).master_digest;
    exchange_problem = receiver_->exchanged(root).problem;
  }
  if (state.problem.empty()) state.problem = exchange_problem;
  if (state.problem.empty()) state.problem = push_problem_;
  state.problem = state.problem.substr(0, kMaxProblem);
  return state;
}

void Replication::Report() {
  std::vector<core::RootState> states;
  for (size_t i = 0; i < roots_.size(); ++i) {
    if (roots_.at(i).scan == 0) return;  // not all were looked at yet
    states.push_back(StateOf(i));
  }
  if (states == reported_) return;
  reported_ = states;
  events_.Report(core::RootsReported{std::move(states)});
}

void Replication::TakeOver(Replication& last, std::function<void()> over) {
  std::vector<core::OperationId> unanswered;
  for (const PendingFlush& flush : last.flushes_) unanswered.push_back(flush.operation);
  last.closing_ = last.Stop(absl::UnavailableError("this node's roots were configured anew"));
  last.over_ = std::move(over);
  roots_.TakeDigests(last.roots_);
  reported_ = last.reported_;
  Start();
  AssumeRole(last.role_, last.term_);
  for (core::OperationId operation : unanswered) Flush(operation);
  last.TellIfOver();
}

// Later: whoever is told may destroy this.
void Replication::TellIfOver() {
  if (closing_.empty() && over_ != nullptr) work_.Post(std::exchange(over_, nullptr));
}

std::vector<std::shared_ptr<PushStream>> Replication::Stop(const absl::Status& why) {
  roots_.Stop();
  CloseAccept(why);
  receiver_.reset();
  flushes_.clear();
  ClosePush();
  return std::move(closing_);
}

}  // namespace zcluster::configsync
