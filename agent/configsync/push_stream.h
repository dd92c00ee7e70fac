// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/loop.h"
#include "zcluster/v1/config_sync.grpc.pb.h"

namespace zcluster::configsync {

// The master's call to the peer's ConfigSyncService.Sync. No logic: messages go out one at a time,
// and come in one at a time, when asked for. Lives until gRPC is done with it.
class PushStream : public grpc::ClientBidiReactor<v1::SyncRequest, v1::SyncReply>,
                   public std::enable_shared_from_this<PushStream> {
 public:
  // Called on `work`.
  struct Handlers {
    std::function<void()> sent;                       // the last message has left
    std::function<void(const v1::SyncReply&)> reply;  // the next follows ReadNext()
    std::function<void(const absl::Status&)> closed;  // last
  };

  // Calls, and waits for the peer to be reachable. `work` outlives the call (see Released).
  static std::shared_ptr<PushStream> Open(v1::ConfigSyncService::Stub& stub, Loop& work,
                                          Handlers handlers);

  // On `work`: only when the last message has left.
  void Write(v1::SyncRequest request) ABSL_LOCKS_EXCLUDED(mutex_);
  void ReadNext() ABSL_LOCKS_EXCLUDED(mutex_);
  // The call ends; `closed` follows. Any thread.
  void Cancel() ABSL_LOCKS_EXCLUDED(mutex_);
  // Waits until gRPC has let go, after Cancel(). Not on one of gRPC's threads.
  void AwaitReleased() ABSL_LOCKS_EXCLUDED(mutex_);

  void OnWriteDone(bool ok) override;
  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone(const grpc::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);

  PushStream(Loop& work, Handlers handlers) : work_(work), handlers_(std::move(handlers)) {}

 private:
  void Release() ABSL_LOCKS_EXCLUDED(mutex_);

  Loop& work_;
  const Handlers handlers_;
  grpc::ClientContext context_;
  v1::SyncRequest request_;
  v1::SyncReply reply_;
  std::shared_ptr<PushStream> self_;
  absl::Mutex mutex_;
  // Writes and reads may be started: gRPC does not end the call while we hold it.
  bool held_ ABSL_GUARDED_BY(mutex_) = true;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace zcluster::configsync
