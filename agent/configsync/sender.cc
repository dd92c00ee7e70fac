// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/sender.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

constexpr absl::Duration kFirstRetry = absl::Milliseconds(100);
constexpr absl::Duration kLongestRetry = absl::Seconds(5);

// What the peer says, without what would move a terminal's cursor.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  }
  return text;
}

}  // namespace

Sender::RootState::RootState() : backoff(kFirstRetry, kLongestRetry) {}

Sender::Sender(Loop& work, Roots& roots, core::Term term, std::function<void(v1::SyncRequest)> send,
               std::function<void()> changed)
    : work_(work),
      roots_(roots),
      term_(term),
      send_(std::move(send)),
      changed_(std::move(changed)),
      roots_state_(roots.size()) {}

void Sender::Start() { Advance(); }

void Sender::Sent() {
  sending_ = false;
  Advance();
}

void Sender::RootScanned(size_t root) {
  roots_state_[root].due = true;
  Advance();
}

absl::Status Sender::Receive(const v1::SyncReply& reply) {
  switch (reply.kind_case()) {
    case v1::SyncReply::kMissing:
      ZC_RETURN_IF_ERROR(TakeMissing(reply.missing()));
      break;
    case v1::SyncReply::kCommitted:
      ZC_RETURN_IF_ERROR(TakeCommitted(reply.committed()));
      break;
    case v1::SyncReply::KIND_NOT_SET:
      return absl::InvalidArgumentError("a message of an unknown kind");
  }
  Advance();
  return absl::OkStatus();
}

void Sender::Advance() {
  if (sending_) return;
  if (phase_ == Phase::kIdle && !BeginNext()) return;
  if (phase_ == Phase::kManifest) {
    SendManifest();
  } else if (phase_ == Phase::kContents) {
    SendContents();
  }
}

bool Sender::BeginNext() {
  for (size_t i = 0; i < roots_state_.size(); ++i) {
    RootState& state = roots_state_[i];
    const HeldRoot& held = roots_.at(i);
    // What could not be read as a whole is not sent: what is missing from it would be deleted.
    if (!state.due || held.scan == 0 || !held.readable) continue;
    state.due = false;
    state.retry.reset();
    if (state.exchanged.problem.empty() && state.exchanged.peer_digest == held.digest.Hex()) {
      state.exchanged.scan = held.scan;
      changed_();
      continue;
    }
    root_ = i;
    manifest_ = held.manifest;
    scan_ = held.scan;
    next_entry_ = 0;
    ++state.generation;
    phase_ = Phase::kManifest;
    return true;
  }
  return false;
}

void Sender::Send(v1::SyncRequest request) {
  sending_ = true;
  send_(std::move(request));
}

void Sender::SendManifest() {
  v1::SyncRequest request;
  v1::ManifestPart& part = *request.mutable_manifest();
  part.set_root(roots_.at(root_).root.path);
  part.set_term(term_.value);
  part.set_generation(roots_state_[root_].generation);
  FillPart(*manifest_, next_entry_, part);
  if (part.last()) phase_ = Phase::kAwaitingMissing;
  Send(std::move(request));
}

absl::Status Sender::TakeMissing(const v1::Missing& missing) {
  if (phase_ != Phase::kAwaitingMissing) return absl::InvalidArgumentError("Missing out of turn");
  absl::flat_hash_map<Digest, const Entry*> files;
  for (const Entry& entry : manifest_->entries) {
    if (entry.type == EntryType::kFile) files.try_emplace(entry.digest, &entry);
  }
  wanted_.clear();
  for (const std::string& bytes : missing.digests()) {
    ZC_ASSIGN_OR_RETURN(const Digest digest, Digest::FromBytes(bytes));
    auto file = files.find(digest);
    if (file == files.end()) return absl::InvalidArgumentError("asks for what was not offered");
    wanted_.push_back(file->second);
    files.erase(file);  // each once
  }
  source_.reset();
  tree_.reset();
  phase_ = Phase::kContents;
  return absl::OkStatus();
}

void Sender::SendContents() {
  if (wanted_.empty()) return SendCommit();
  v1::SyncRequest request;
  v1::FileParts& files = *request.mutable_files();
  size_t room = kMaxContent;
  while (!wanted_.empty() && room > 0 && files.parts_size() < kMaxPieces) {
    v1::FilePart& part = *files.add_parts();
    const std::string path = wanted_.back()->path;
    const absl::Status status = FillPiece(room, part);
    if (!status.ok()) return StartAnew(Annotate(status, Shown(path)));
    room -= part.content().size();
  }
  Send(std::move(request));
}

absl::Status Sender::FillPiece(size_t limit, v1::FilePart& part) {
  if (!source_.has_value()) {
    if (!tree_.has_value()) {
      ZC_ASSIGN_OR_RETURN(Tree tree, Tree::Open(roots_.at(root_).root.path));
      tree_.emplace(std::move(tree));
    }
    ZC_ASSIGN_OR_RETURN(FileSource source, FileSource::Open(*tree_, *wanted_.back()));
    source_.emplace(std::move(source));
  }
  ZC_RETURN_IF_ERROR(source_->Fill(limit, part));
  if (part.last()) {
    source_.reset();
    wanted_.pop_back();
  }
  return absl::OkStatus();
}

void Sender::SendCommit() {
  phase_ = Phase::kAwaitingCommitted;
  v1::SyncRequest request;
  request.mutable_commit();
  Send(std::move(request));
}

absl::Status Sender::TakeCommitted(const v1::Committed& committed) {
  if (phase_ != Phase::kAwaitingMissing && phase_ != Phase::kAwaitingCommitted) {
    return absl::InvalidArgumentError("Committed out of turn");
  }
  ZC_RETURN_IF_ERROR(committed.digest().size() == 32
                         ? absl::OkStatus()
                         : absl::InvalidArgumentError("a digest that is none"));
  phase_ = Phase::kIdle;
  RootState& state = roots_state_[root_];
  const std::string digest = manifest_->RootDigest().Hex();
  manifest_.reset();
  state.exchanged.peer_digest = committed.digest();
  const std::string before = std::exchange(state.exchanged.problem, "");
  if (!committed.error().empty()) {
    state.exchanged.problem = Printable(committed.error());
  } else if (committed.digest() != digest) {
    state.exchanged.problem = "was changed on the backup while it was put in place";
  } else {
    state.exchanged.scan = scan_;
    state.backoff.Reset();
    log::Info("config_replicated", {{"root", roots_.at(root_).root.path},
                                    {"generation", absl::StrCat(state.generation)},
                                    {"digest", digest}});
  }
  if (!state.exchanged.problem.empty()) {
    log::Warning("config_not_replicated",
                 {{"root", roots_.at(root_).root.path}, {"problem", state.exchanged.problem}});
    RetryLater(root_);
  }
  changed_();
  return absl::OkStatus();
}

void Sender::StartAnew(const absl::Status& why) {
  phase_ = Phase::kIdle;
  source_.reset();
  manifest_.reset();
  roots_state_[root_].exchanged.problem = absl::StrCat("changes while it is sent: ", why.message());
  roots_.Rescan(root_);
  RetryLater(root_);
  changed_();
  Advance();  // with another root meanwhile; the peer drops what it has of this one
}

void Sender::RetryLater(size_t root) {
  RootState& state = roots_state_[root];
  state.retry = work_.After(state.backoff.Next(), [this, root] { RootScanned(root); });
}

}  // namespace zcluster::configsync
