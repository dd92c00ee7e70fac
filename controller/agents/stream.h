// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <list>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/loop.h"
#include "controller/agents/agents.h"

// FleetLinkService.Connect as gRPC carries it. The reactors run on gRPC's threads, check sizes and
// shapes there, hand everything to the loop, and are told from the loop what to do next.
namespace zcluster::controller {

class AgentStream;

// Told what happens to streams, on the loop.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  // One has come; nothing is read of it yet.
  virtual void OnOpened(std::shared_ptr<AgentStream> stream) = 0;
  // The one message that Read() asked for, checked; `bytes` as it came.
  virtual void OnHeard(AgentStream& stream, v1::AgentMessage message, size_t bytes) = 0;
  // The other end is gone, or has sent what nobody may (INVALID_ARGUMENT): nothing follows. A
  // stream that was ended from here may tell it or not.
  virtual void OnBroken(AgentStream& stream, const absl::Status& why) = 0;
};

// The one way from gRPC's threads to the loop. Outlives the listener and the loop.
class StreamGate {
 public:
  StreamGate(Loop& loop, std::string fleet, StreamListener& listener, size_t max_streams);

  // Loop. Nothing is told any more, and no stream is let in.
  void Shut();

  // For reactors; any thread. Whether another stream may come: RESOURCE_EXHAUSTED, UNAVAILABLE.
  absl::Status Enter();
  void Leave() { open_.fetch_sub(1); }
  bool Post(std::function<void(StreamListener&)> task);

  // Streams that were let in since the start; any thread.
  uint64_t entered() const { return entered_; }
  const std::string& fleet() const { return fleet_; }

 private:
  const Loop::Poster post_;
  const std::string fleet_;
  StreamListener& listener_;  // on the loop, unless shut
  const size_t max_streams_;
  const std::shared_ptr<bool> told_;  // loop: the listener is there
  std::atomic<bool> shut_{false};
  std::atomic<size_t> open_{0};
  std::atomic<uint64_t> entered_{0};
};

// One stream. Any thread, unless it says otherwise. Lives until gRPC is done with it and the last
// holder is gone.
class AgentStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                          public std::enable_shared_from_this<AgentStream> {
 public:
  // For the service: a stream that has just come; ended at once if it may not stay.
  static AgentStream* Make(std::shared_ptr<StreamGate> gate, grpc::CallbackServerContext& context);
  ~AgentStream() override;

  // As the handshake has proved it.
  const ProvenAgent& agent() const { return agent_; }

  // Asks for one message: OnHeard or OnBroken. Not again before that.
  void Read() ABSL_LOCKS_EXCLUDED(mutex_);
  // Sends, after what was sent before. False if `max_waiting` messages wait already: it was not
  // taken. What is sent to a stream that has ended goes nowhere.
  bool Send(const grpc::ByteBuffer& message, size_t max_waiting) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends it once what was sent before is taken; the agent reads `why`.
  void End(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends it now, whatever waits.
  void Cut(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mutex_);

  // Since when the oldest message that the other end has not taken waits; InfiniteFuture if none
  // does.
  absl::Time WaitingSince() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  AgentStream(std::shared_ptr<StreamGate> gate, grpc::CallbackServerContext& context);

  void Begin();
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_);
  void OnCancel() override;
  void OnDone() override;
  void Break(const absl::Status& why) ABSL_LOCKS_EXCLUDED(mutex_);
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  struct Waiting {
    grpc::ByteBuffer message;
    absl::Time since;
  };

  const std::shared_ptr<StreamGate> gate_;
  grpc_call* const call_;  // a share in it: it can be ended even while its context goes
  ProvenAgent agent_;
  bool entered_ = false;
  grpc::ByteBuffer incoming_;  // gRPC's between StartRead and OnReadDone
  grpc::ByteBuffer outgoing_;  // gRPC's while a write is under way

  mutable absl::Mutex mutex_;
  // A list, because an empty one costs nothing, and most are empty.
  std::list<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  absl::Time write_began_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<AgentStream> self_;  // gRPC's share; given back in OnDone
};

}  // namespace zcluster::controller
