// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/conntrack/changes.h"
#include "agent/conntrack/lack.h"
#include "zcluster/v1/conntrack.grpc.pb.h"

namespace zcluster::conntrack {

// The master's end of one stream: takes from Changes what there is, as soon as nothing is
// being written, and keeps account of what the peer acknowledged. A change thus leaves at once
// while the stream is idle, and joins others while a batch is under way. Any thread.
class Sender : public grpc::ClientBidiReactor<v1::FlowBatch, v1::FlowAck> {
 public:
  // So many batches may be on their way to the peer's kernel; then changes gather in Changes.
  static constexpr size_t kWindow = 32;

  // Called on gRPC's threads, without our lock.
  struct Listener {
    // The peer answers: it is time for a snapshot. `only_plain`: it takes no more than IsPlain().
    std::function<void(bool only_plain)> up;
    std::function<void()> flipped;                    // synchronised() changed
    std::function<void(const absl::Status&)> closed;  // the end; nothing follows
  };

  // What the peer makes of it: its own table, or what is missing there.
  enum class Call { kReplicate, kMerge };

  // Calls the peer, as soon as `channel` is connected. Batches carry the value of `term` at their
  // time. Lives until gRPC is done with it and the last holder is gone.
  static std::shared_ptr<Sender> Open(Call call, const std::shared_ptr<grpc::Channel>& channel,
                                      std::shared_ptr<Changes> changes,
                                      std::shared_ptr<const std::atomic<uint64_t>> term,
                                      Listener listener);

  // There may be something to take.
  void Pump() ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the stream; `closed` follows.
  void Cancel() { context_.TryCancel(); }

  // Calls `done` once, when the peer is synchronised and has all changes before `position`. Never
  // if the stream ends first.
  void WhenAcknowledged(uint64_t position, std::function<void()> done) ABSL_LOCKS_EXCLUDED(mutex_);

  // The peer's kernel has the last snapshot whole. (Whether Changes has begun another, it knows
  // itself.)
  bool synchronised() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Age of the oldest change that is not acknowledged.
  absl::Duration Lag(absl::Time now) const ABSL_LOCKS_EXCLUDED(mutex_);
  // What the peer holds, as of its last word about that, against what it was sent.
  struct Compared {
    uint64_t digest = 0;
    bool differs = false;
  };
  Compared compared() const ABSL_LOCKS_EXCLUDED(mutex_);
  // What the peer's kernel does not hold of that, as of its last word.
  Lack lack() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Batches of this stream, and their bytes before TLS.
  struct Volume {
    uint64_t batches = 0;
    uint64_t bytes = 0;
  };
  Volume sent() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Entries that the peer's kernel refused on this stream.
  uint64_t refused() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Sent {
    uint64_t sequence;
    uint64_t end;  // position in Changes
    absl::Time oldest;
    uint64_t snapshot;  // the one that ends with it, or 0
    uint64_t digest;    // of all that the peer holds with it
  };

  Sender(const std::shared_ptr<grpc::Channel>& channel, std::shared_ptr<Changes> changes,
         std::shared_ptr<const std::atomic<uint64_t>> term, Listener listener);

  void OnReadInitialMetadataDone(bool ok) override;
  void OnReadDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnDone(const grpc::Status& status) override;

  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False: it acknowledges what was never sent.
  bool Account(const v1::FlowAck& ack) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::function<void()>> TakeAcknowledged() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::unique_ptr<v1::ConntrackService::Stub> stub_;
  const std::shared_ptr<Changes> changes_;
  const std::shared_ptr<const std::atomic<uint64_t>> term_;
  const Listener listener_;
  grpc::ClientContext context_;
  v1::FlowAck ack_;               // being read
  std::shared_ptr<Sender> self_;  // gRPC's share; given back in OnDone

  mutable absl::Mutex mutex_;
  // A read is under way exactly as long as it is open: so gRPC cannot be done while somebody
  // writes.
  bool open_ ABSL_GUARDED_BY(mutex_) = true;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  v1::FlowBatch message_ ABSL_GUARDED_BY(mutex_);
  Changes::Batch batch_ ABSL_GUARDED_BY(mutex_);
  uint64_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Sent> under_way_ ABSL_GUARDED_BY(mutex_);
  uint64_t acknowledged_ ABSL_GUARDED_BY(mutex_) = 0;  // position
  uint64_t snapshot_ ABSL_GUARDED_BY(mutex_) = 0;      // number of the last that began
  bool synchronised_ ABSL_GUARDED_BY(mutex_) = false;  // that one is acknowledged whole
  uint64_t refused_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t answered_ ABSL_GUARDED_BY(mutex_) = 0;  // sequence of the last that was acknowledged
  uint64_t digest_ ABSL_GUARDED_BY(mutex_) = 0;    // of all that the peer should hold with it
  Compared compared_ ABSL_GUARDED_BY(mutex_);
  Lack lack_ ABSL_GUARDED_BY(mutex_);
  Volume sent_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<uint64_t, std::function<void()>>> waiters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zcluster::conntrack
