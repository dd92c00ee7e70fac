// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "agent/adapter.h"
#include "agent/configsync/accept_stream.h"
#include "agent/configsync/configsync.h"
#include "agent/configsync/keep_aside.h"
#include "agent/configsync/push_stream.h"
#include "agent/configsync/receiver.h"
#include "agent/configsync/roots.h"
#include "agent/configsync/sender.h"
#include "agent/core/types.h"
#include "common/backoff.h"
#include "common/loop.h"
#include "zcluster/v1/config_sync.grpc.pb.h"

namespace zcluster::configsync {

// What this node does with its roots, by its role: a master pushes, a backup or a node in
// maintenance accepts, others only look. Reports what it sees. All on the worker's loop, but the
// constructor.
class Replication {
 public:
  Replication(Loop& work, Options options, v1::ConfigSyncService::Stub& peer, EventSink& events);

  // Before the loop runs.
  absl::Status Open();
  // Removes leftovers of a crash; watches, and reports from now on.
  void Start();
  void AssumeRole(core::Role role, core::Term term);
  // Reports Flushed when the peer holds each root as it is now, or was later. Dropped if this node
  // is not, or no longer, master.
  void Flush(core::OperationId operation);
  // A message of a call to us, over `stream`. A new call supersedes the last one: the master's own
  // end of that may not have noticed yet that it is dead.
  void TakeRequest(const std::shared_ptr<AcceptStream>& stream, const v1::SyncRequest& request);
  // In the place of Start(): begins where `last` stands, which stops and holds other roots. `over`
  // is called later, once, when gRPC is done with the calls of `last`: until then it must live.
  void TakeOver(Replication& last, std::function<void()> over);
  // Nothing is reported after it. Calls to us end with `why`. Returns the calls to the peer that
  // gRPC has not let go of.
  std::vector<std::shared_ptr<PushStream>> Stop(const absl::Status& why);

 private:
  struct PendingFlush {
    core::OperationId operation;
    std::vector<uint64_t> scans;  // of each root, that the peer must hold
  };

  void RootScanned(size_t root);
  void OpenPush();
  void TellIfOver();
  // The call over `stream` is over, or is to be ended with `status` because the peer broke the
  // rules.
  void EndPush(const std::shared_ptr<PushStream>& stream, const absl::Status& status);
  void ClosePush();
  void CloseAccept(const absl::Status& status);
  void EndIfDrifted();
  void NoteAgreed();
  void CheckFlushes();
  void Report();
  core::RootState StateOf(size_t root) const;

  Loop& work_;
  v1::ConfigSyncService::Stub& peer_;
  EventSink& events_;
  const std::string kept_dir_;
  Roots roots_;
  Agreed agreed_;
  core::Role role_ = core::Role::kUnknown;
  core::Term term_;  // highest seen
  std::vector<core::RootState> reported_;

  // As master.
  std::shared_ptr<PushStream> push_;
  std::vector<std::shared_ptr<PushStream>> closing_;  // cancelled, not yet over
  std::function<void()> over_;                        // once nothing is closing any more
  std::unique_ptr<Sender> sender_;
  std::string push_problem_;  // why the peer ended the last call; empty when it answers
  Backoff backoff_;
  absl::Time push_opened_;
  Loop::Registration reopen_;
  std::vector<PendingFlush> flushes_;

  // As backup.
  std::shared_ptr<AcceptStream> accept_;
  std::unique_ptr<Receiver> receiver_;
};

}  // namespace zcluster::configsync
