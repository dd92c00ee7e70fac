// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "agent/guard.h"
#include "zcluster/v1/command.pb.h"

namespace zcluster::command {

// The events of one run on their way to whoever called. What cannot be sent yet is queued: a run
// prints at most a few MiB, so the queue needs no other bound. Any thread.
class EventStream : public grpc::ServerWriteReactor<v1::RunEvent>,
                    public std::enable_shared_from_this<EventStream> {
 public:
  // Keeps itself until gRPC is done with it.
  static std::shared_ptr<EventStream> Make();

  // The guard let the call in. Before anything is sent; once.
  void LetIn(std::shared_ptr<AdmittedCall> call);

  // Queues `event`; dropped if the caller is gone.
  void Send(v1::RunEvent event) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the call with `status` when all events have left; the first one is also what is audited.
  void Close(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override;
  void OnDone() override;

 private:
  // Ends the call at once; the run goes on.
  void Cut(grpc::Status why) ABSL_LOCKS_EXCLUDED(mutex_);
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::shared_ptr<AdmittedCall> call_;  // set before anybody else knows us
  absl::Mutex mutex_;
  std::shared_ptr<EventStream> self_;
  std::deque<v1::RunEvent> queue_ ABSL_GUARDED_BY(mutex_);  // front: being written if writing_
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace zcluster::command
