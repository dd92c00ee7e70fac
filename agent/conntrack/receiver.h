// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "agent/conntrack/inject.h"
#include "zcluster/v1/conntrack.grpc.pb.h"

namespace zcluster::conntrack {

// Who may write into this node's kernel: at most one stream. Of a backup that is the master of the
// highest term; of a master it is one that gives way to it, of its term or an earlier one, and what
// comes is merged. Any thread.
class Gate : public std::enable_shared_from_this<Gate> {
 public:
  enum class For { kBackup, kMaster };

  // One stream, as the gate sees it.
  class Stream {
   public:
    // `arrival` is of Arrive(), when it was opened.
    explicit Stream(uint64_t arrival) : arrival_(arrival) {}
    virtual ~Stream() = default;
    uint64_t arrival() const { return arrival_; }
    // Ends it with `status`, soon.
    virtual void End(const absl::Status& status) = 0;

   private:
    const uint64_t arrival_;
  };

  // `changed` is called, without our lock, when what live() or synchronised() say changed.
  Gate(For role, std::function<void()> changed) : role_(role), changed_(std::move(changed)) {}

  // Lets masters in: of `term` or later, or, if this node is master itself, of `term` or before.
  // `injector` lives until Shut() returns.
  void Open(uint64_t term, Injector& injector) ABSL_LOCKS_EXCLUDED(mutex_);
  // Lets nobody in, because of `reason`, and ends the stream that is. What it had pushed is still
  // applied.
  void Shut(const absl::Status& reason) ABSL_LOCKS_EXCLUDED(mutex_);

  // The number of a stream that is opened now: one more each time.
  uint64_t Arrive() ABSL_LOCKS_EXCLUDED(mutex_);
  // Why nobody may come in right now; OK if somebody may.
  absl::Status Closed() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes a batch of `stream`, whose master is of `term`. The first one makes it the stream that
  // counts and ends its predecessor. FAILED_PRECONDITION: the node does not stand by, knows a later
  // term, or one of this term that was opened later has been let in: what an old stream still had
  // to say is void. RESOURCE_EXHAUSTED: too many batches wait.
  absl::Status Push(const std::shared_ptr<Stream>& stream, uint64_t term, Injector::Batch batch)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // `stream` is no more.
  void Gone(const Stream* stream) ABSL_LOCKS_EXCLUDED(mutex_);

  // A master replicates to us; and we have its snapshot whole.
  bool live() const ABSL_LOCKS_EXCLUDED(mutex_);
  bool synchronised() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Status Admit(const std::shared_ptr<Stream>& stream, uint64_t term,
                     std::shared_ptr<Stream>& superseded) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SnapshotApplied(uint64_t number) ABSL_LOCKS_EXCLUDED(mutex_);

  const For role_;
  const std::function<void()> changed_;
  mutable absl::Mutex mutex_;
  Injector* injector_ ABSL_GUARDED_BY(mutex_) = nullptr;  // while open
  absl::Status reason_ ABSL_GUARDED_BY(mutex_) =
      absl::FailedPreconditionError("this node has no role yet");
  uint64_t term_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<Stream> stream_ ABSL_GUARDED_BY(mutex_);
  uint64_t arrivals_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t latest_arrival_ ABSL_GUARDED_BY(mutex_) = 0;  // of those that were let in
  uint64_t latest_term_ ABSL_GUARDED_BY(mutex_) = 0;     // of that one
  uint64_t snapshot_ ABSL_GUARDED_BY(mutex_) = 0;        // number of the last that began
  bool synchronised_ ABSL_GUARDED_BY(mutex_) = false;    // that one is applied whole
};

// The service: each stream checks what comes and hands it to the gate of its call.
class Receiver : public v1::ConntrackService::CallbackService {
 public:
  Receiver(std::shared_ptr<Gate> replicate, std::shared_ptr<Gate> merge)
      : replicate_(std::move(replicate)), merge_(std::move(merge)) {}

  grpc::ServerBidiReactor<v1::FlowBatch, v1::FlowAck>* Replicate(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<v1::FlowBatch, v1::FlowAck>* Merge(
      grpc::CallbackServerContext* context) override;

 private:
  const std::shared_ptr<Gate> replicate_;
  const std::shared_ptr<Gate> merge_;
};

}  // namespace zcluster::conntrack
