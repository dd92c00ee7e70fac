// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/loop.h"
#include "zcluster/v1/command.grpc.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace zcluster::command {

// Calls to the peer's CommandService. Events and the end of a call come on the loop, in order.
class PeerCalls {
 public:
  using EventHandler = std::function<void(v1::RunEvent)>;
  using EndHandler = std::function<void(const absl::Status&)>;

  PeerCalls(Loop& loop, const std::shared_ptr<grpc::Channel>& peer);
  ~PeerCalls();

  // A peer that cannot be reached ends the call with UNAVAILABLE at once; one that has not ended it
  // after `deadline`, with DEADLINE_EXCEEDED. Loop thread.
  void Run(const v1::RunRequest& request, absl::Duration deadline, EventHandler on_event,
           EndHandler on_done);
  void Replicate(const v1::ReplicateRequest& request, absl::Duration deadline,
                 EventHandler on_event, EndHandler on_done);

  // Cancels what is under way, and returns when gRPC has let go of all. Their ends are still
  // posted. Further calls end with CANCELLED.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Call;
  template <typename Begin>
  void Start(absl::Duration deadline, EventHandler on_event, EndHandler on_done, Begin begin);
  void Forget(Call* call) ABSL_LOCKS_EXCLUDED(mutex_);

  Loop& loop_;
  const std::unique_ptr<v1::CommandService::Stub> stub_;
  absl::Mutex mutex_;
  absl::flat_hash_set<Call*> calls_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace zcluster::command
