// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/loop.h"
#include "zcluster/v1/config_sync.pb.h"

namespace zcluster::configsync {

// The backup's side of a Sync call. No logic: one message at a time, the next one is read when the
// last was dealt with, so a fast master waits for a slow disk. Keeps itself until gRPC is done.
class AcceptStream : public grpc::ServerBidiReactor<v1::SyncRequest, v1::SyncReply>,
                     public std::enable_shared_from_this<AcceptStream> {
 public:
  // On the worker's loop. It answers with Reply, ReadNext or Close.
  using OnRequest =
      std::function<void(const std::shared_ptr<AcceptStream>&, const v1::SyncRequest&)>;

  // `work` outlives the call.
  static std::shared_ptr<AcceptStream> Open(Loop& work, OnRequest on_request);

  // Any thread; nothing happens if the call is over.
  void Reply(v1::SyncReply reply) ABSL_LOCKS_EXCLUDED(mutex_);
  void ReadNext() ABSL_LOCKS_EXCLUDED(mutex_);
  void Close(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  bool closed() const ABSL_LOCKS_EXCLUDED(mutex_);

  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone() override;

  AcceptStream(Loop& work, OnRequest on_request)
      : work_(work), on_request_(std::move(on_request)) {}

 private:
  void CloseLocked(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Loop& work_;
  const OnRequest on_request_;
  v1::SyncRequest request_;
  std::shared_ptr<AcceptStream> self_;
  mutable absl::Mutex mutex_;
  v1::SyncReply reply_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace zcluster::configsync
