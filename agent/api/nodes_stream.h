// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "common/access/client.h"
#include "zcluster/v1/cluster.pb.h"

namespace zcluster::api {

// Somebody who watches the nodes. A slow one misses what came and went in between, never the
// latest. Any thread.
class NodesStream : public grpc::ServerWriteReactor<v1::NodesResponse>, public access::Client {
 public:
  // Lives until gRPC is done with it and the last holder is gone.
  static std::shared_ptr<NodesStream> Make();

  // Tells how the nodes are now, unless that differs in nothing but ages from what was told last.
  void Show(v1::NodesResponse nodes) ABSL_LOCKS_EXCLUDED(mutex_);
  void Close(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);
  bool open() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  NodesStream() = default;
  void Cut(const absl::Status& why) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override;
  void OnDone() override;
  // Starts what can be started. gRPC takes one write at a time, and nothing after Finish.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  absl::optional<v1::NodesResponse> waiting_ ABSL_GUARDED_BY(mutex_);
  v1::NodesResponse writing_ ABSL_GUARDED_BY(mutex_);
  std::string told_ ABSL_GUARDED_BY(mutex_);  // without ages, serialised
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<NodesStream> self_;  // gRPC's share; given back in OnDone
};

}  // namespace zcluster::api
