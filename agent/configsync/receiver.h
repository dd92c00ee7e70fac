// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "agent/configsync/commit.h"
#include "agent/configsync/keep_aside.h"
#include "agent/configsync/roots.h"
#include "agent/configsync/stage.h"
#include "agent/core/types.h"
#include "zcluster/v1/config_sync.pb.h"

namespace zcluster::configsync {

// The backup's half of a stream: takes in what the master sends, puts it in place, and answers.
// Trusts nothing that it is sent. On the worker's loop, where it writes and waits for the disk.
class Receiver {
 public:
  // What is known of a root from the exchange.
  struct Exchanged {
    std::string master_digest;  // what the master's last manifest said; empty before the first
    std::string problem;        // why the last generation is not in place; empty if it is
    // What this node held after the last generation of this call. If it holds something else now,
    // somebody changed it here.
    absl::optional<Digest> committed;
  };

  // `highest_term` is shared with whoever else learns of terms: raised here, and respected.
  // What this node has changed since both held the same, by `agreed`, is kept in `kept_dir` before
  // the master's takes its place; both outlive this.
  Receiver(Roots& roots, core::Term& highest_term, Agreed& agreed, const std::string& kept_dir);

  // The master calls anew: what was under way is dropped, and nothing counts as committed.
  void NewCall();

  // Takes the next message, and answers if it is the peer's turn to hear something. An error ends
  // the stream (see ConfigSyncService.Sync); nothing of the generation under way was applied.
  absl::StatusOr<absl::optional<v1::SyncReply>> Receive(const v1::SyncRequest& request);

  // Between two exchanges.
  bool idle() const { return !incoming_.has_value(); }
  const Exchanged& exchanged(size_t root) const { return exchanged_[root]; }

 private:
  using Reply = absl::optional<v1::SyncReply>;

  // A generation on its way in.
  struct Incoming {
    size_t root = 0;
    core::Term term;
    uint64_t generation = 0;
    Manifest wanted;
    bool manifest_complete = false;
    bool touched = false;  // something was done to the filesystem
    // From here on set when the manifest is complete.
    std::shared_ptr<const Manifest> held;
    Plan plan;
    std::unique_ptr<Tree> tree;
    std::unique_ptr<Stage> stage;
    // What the disk refused meanwhile: the contents on their way are passed over, and the answer to
    // the commit says it.
    absl::Status failed;
  };

  absl::StatusOr<Reply> ReceiveManifest(const v1::ManifestPart& part);
  absl::Status Begin(const v1::ManifestPart& part);
  absl::StatusOr<Reply> ManifestComplete();
  // OK if this node may become what the master says.
  absl::Status CheckAcceptable(const HeldRoot& held) const;
  absl::Status Prepare(const HeldRoot& held);
  absl::StatusOr<Reply> ReceiveFiles(const v1::FileParts& files);
  absl::StatusOr<Reply> ReceiveCommit();
  // Reads what is now there and ends the exchange.
  Reply Answer(const absl::Status& status);

  Roots& roots_;
  core::Term& highest_term_;
  Agreed& agreed_;
  const std::string& kept_dir_;
  std::vector<Exchanged> exchanged_;
  absl::optional<Incoming> incoming_;
};

}  // namespace zcluster::configsync
