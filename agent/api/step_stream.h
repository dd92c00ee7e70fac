// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "agent/api/client.h"
#include "zcluster/v1/maintenance.pb.h"

namespace zcluster::api {

// The client's end of an operation: steps go out one after the other, then the status. All of it
// from any thread. Once the client is gone, what is written goes nowhere.
class StepStream : public grpc::ServerWriteReactor<v1::Step>, public Client {
 public:
  // Lives until gRPC is done with it and the last holder is gone.
  static std::shared_ptr<StepStream> Make();

  // A client that takes nothing while more than kMaxWaiting steps come loses the stream, not the
  // operation.
  void Write(v1::Step step) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the stream after what was written; the first call counts.
  void Close(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_);

  static constexpr size_t kMaxWaiting = 256;

 private:
  StepStream() = default;
  void Cut(const absl::Status& why) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override;
  void OnDone() override;
  // Starts what can be started. gRPC takes one write at a time, and nothing after Finish.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::deque<v1::Step> waiting_ ABSL_GUARDED_BY(mutex_);
  v1::Step writing_ ABSL_GUARDED_BY(mutex_);
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<StepStream> self_;  // gRPC's share; given back in OnDone
};

}  // namespace zcluster::api
