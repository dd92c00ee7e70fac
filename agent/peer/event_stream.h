// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "agent/peer/link.h"
#include "common/loop.h"

namespace grpc {
class ByteBuffer;
class Channel;
class Service;
class Status;
}  // namespace grpc

// The link's stream as gRPC carries it. Reactors run on gRPC's threads, hand everything to the
// loop, and are told on the loop what to do next: no logic, no locks of their own. Messages travel
// as bytes and are parsed here, so that garbage is an error with a reason (with typed messages gRPC
// only says that the stream is over).
namespace zcluster::peer {

class Reactor;

// A stream, as the loop holds it. All on the loop.
class EventStream {
 public:
  explicit EventStream(Reactor& reactor) : reactor_(&reactor) {}
  // Closes what was not closed.
  ~EventStream();
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  StreamId id() const;
  // Asks for one message: OnHeard, or OnEnded. Not again before that.
  void Read();
  // Sends `message`. While a write is under way the newest of its kind waits, and replaces one that
  // waited: of states, questions and answers only the last one counts.
  void Send(const v1::PeerMessage& message);
  // OnWritten came.
  void Written();
  // Ends the stream now; the peer is told `why` if we serve it.
  void Close(const absl::Status& why);
  // Nothing more is asked of the stream, whose status (OnEnded) may be on its way.
  void Release();

 private:
  Reactor* reactor_;  // null once given up: from then on it may be gone at any time
  bool writing_ = false;
  std::deque<v1::PeerMessage> waiting_;  // at most one of each kind
};

// Told what happens to streams, on the loop.
class StreamListener {
 public:
  virtual ~StreamListener() = default;
  // The peer opened one.
  virtual void OnServed(std::unique_ptr<EventStream> stream) = 0;
  virtual void OnHeard(StreamId stream, const Heard& heard) = 0;
  virtual void OnWritten(StreamId stream) = 0;
  // No message follows; a dialed stream must be released before its OnEnded comes.
  virtual void OnDrained(StreamId stream) = 0;
  virtual void OnEnded(StreamId stream, const grpc::Status& status) = 0;
};

// The way from gRPC's threads to the loop, which can be shut.
class Inlet : public std::enable_shared_from_this<Inlet> {
 public:
  Inlet(Loop& loop, StreamListener& listener) : loop_(&loop), listener_(&listener) {}

  // Any thread. False if it is shut: then `task` never runs.
  bool Hand(std::function<void(StreamListener&)> task) ABSL_LOCKS_EXCLUDED(mutex_);
  // Loop. Nothing is handed over from now on; streams that are still open are ended, and waited for
  // (a moment: gRPC ends a cancelled stream at once).
  void Shut() ABSL_LOCKS_EXCLUDED(mutex_);

  // For reactors. Born: the stream's name, or nullopt if shut, then it must end by itself; given up
  // by the loop; gone.
  absl::optional<StreamId> Enter(Reactor& reactor) ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveUp(Reactor& reactor) ABSL_LOCKS_EXCLUDED(mutex_);
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  Loop* loop_ ABSL_GUARDED_BY(mutex_);               // null when shut
  std::set<Reactor*> open_ ABSL_GUARDED_BY(mutex_);  // not given up yet
  int alive_ ABSL_GUARDED_BY(mutex_) = 0;
  StreamId next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  StreamListener* listener_;  // loop; null when shut
};

// Opens a stream to the peer. Loop.
std::unique_ptr<EventStream> DialStream(std::shared_ptr<Inlet> inlet,
                                        const std::shared_ptr<grpc::Channel>& channel);

// zcluster.v1.PeerService: each stream that is opened goes to `inlet`. It must outlive the server
// that it is given to.
std::unique_ptr<grpc::Service> MakeLinkService(std::shared_ptr<Inlet> inlet);

}  // namespace zcluster::peer
