// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "agent/configsync/roots.h"
#include "agent/configsync/transfer.h"
#include "agent/core/types.h"
#include "common/backoff.h"
#include "common/loop.h"
#include "zcluster/v1/config_sync.pb.h"

namespace zcluster::configsync {

// The master's half of a stream: brings each root to the peer, first as it is, then at each change.
// Holds one message at a time; what changes meanwhile is sent as it is when its turn comes, so a
// slow peer costs freshness and no memory. On the worker's loop, where it reads.
class Sender {
 public:
  // What the peer is known to hold.
  struct Exchanged {
    std::string peer_digest;  // empty before its first answer on this stream
    std::string problem;      // why the peer does not hold what we do; empty if it does
    uint64_t scan = 0;        // the peer holds the root as of this scan (HeldRoot::scan)
  };

  // `send` is given the next message when the last one has left. `changed` is called when
  // exchanged() is another.
  Sender(Loop& work, Roots& roots, core::Term term, std::function<void(v1::SyncRequest)> send,
         std::function<void()> changed);

  // A stream is open: sends the first message.
  void Start();
  // The last message has left.
  void Sent();
  // An answer came. An error ends the stream: the peer broke the rules.
  absl::Status Receive(const v1::SyncReply& reply);
  // `root` was scanned: sent if it is another.
  void RootScanned(size_t root);
  void set_term(core::Term term) { term_ = term; }

  const Exchanged& exchanged(size_t root) const { return roots_state_[root].exchanged; }

 private:
  enum class Phase { kIdle, kManifest, kAwaitingMissing, kContents, kAwaitingCommitted };

  struct RootState {
    Exchanged exchanged;
    bool due = true;
    uint64_t generation = 0;
    // When the peer could not take it, or it would not hold still: the next try.
    Backoff backoff;
    Loop::Registration retry;
    RootState();
  };

  // Sends what is next, if nothing is on its way.
  void Advance();
  // Begins with the next root that is due; false if none is.
  bool BeginNext();
  void SendManifest();
  void SendContents();
  // The next piece of what the peer wants.
  absl::Status FillPiece(size_t limit, v1::FilePart& part);
  void SendCommit();
  void Send(v1::SyncRequest request);
  absl::Status TakeMissing(const v1::Missing& missing);
  absl::Status TakeCommitted(const v1::Committed& committed);
  // The file under way is not what its entry says any more.
  void StartAnew(const absl::Status& why);
  void RetryLater(size_t root);

  Loop& work_;
  Roots& roots_;
  core::Term term_;
  const std::function<void(v1::SyncRequest)> send_;
  const std::function<void()> changed_;
  std::vector<RootState> roots_state_;
  bool sending_ = false;

  // The exchange under way.
  Phase phase_ = Phase::kIdle;
  size_t root_ = 0;
  std::shared_ptr<const Manifest> manifest_;
  uint64_t scan_ = 0;
  size_t next_entry_ = 0;
  std::vector<const Entry*> wanted_;  // files whose contents are still to be sent, in manifest_
  absl::optional<Tree> tree_;
  absl::optional<FileSource> source_;
};

}  // namespace zcluster::configsync
