// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "agent/adapter.h"
#include "agent/peer/event_stream.h"
#include "agent/peer/link.h"
#include "agent/peer/options.h"
#include "common/loop.h"

namespace grpc {
class Channel;
class Service;
class Status;
}  // namespace grpc

namespace zcluster::peer {

// The link to the peer's agent: events PeerConnected, PeerDisconnected, PeerReported, PeerAsked and
// PeerAnswered; actions SendState, AskPeer and AnswerPeer. The node whose name sorts first dials
// `peer`; the other one serves. service() must be registered on both nodes: the one that dials
// answers a stray stream with the reason. Make it and destroy it on the loop's thread (or when no
// loop runs), and destroy it only after the server that has service().
class PeerLink : public Adapter, private StreamListener {
 public:
  PeerLink(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer);
  ~PeerLink() override;

  grpc::Service& service() { return *service_; }

  // Any thread. The credentials refused somebody, for this reason: shown while the link is down.
  void Refused(std::string reason) ABSL_LOCKS_EXCLUDED(refused_mutex_);

  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  // Open streams end; a peer that dialed us is told that we stop.
  void Stop() override;

 private:
  void OnServed(std::unique_ptr<EventStream> stream) override;
  void OnHeard(StreamId stream, const Heard& heard) override;
  void OnWritten(StreamId stream) override;
  void OnDrained(StreamId stream) override;
  void OnEnded(StreamId stream, const grpc::Status& status) override;

  void TakeRefusal();
  void CheckOwnFiles();
  void WatchChannel();
  void Carry(const Orders& orders);
  void Open();
  void Tell(const core::Event& event);
  EventStream* Find(StreamId stream);

  Loop& loop_;
  const Options options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::shared_ptr<Inlet> inlet_;
  const std::unique_ptr<grpc::Service> service_;
  Link link_;
  EventSink* events_ = nullptr;  // null before Start() and after Stop()
  std::map<StreamId, std::unique_ptr<EventStream>> streams_;
  StreamId spoke_ = 0;  // the stream heard last
  Loop::Registration wake_;
  Loop::Registration check_own_;
  Loop::Registration watch_channel_;
  bool was_ready_ = false;
  std::string logged_refusal_;
  absl::Time logged_refusal_at_ = absl::InfinitePast();

  absl::Mutex refused_mutex_;
  // The newest only: a stranger that knocks often costs no memory.
  absl::optional<std::string> refused_ ABSL_GUARDED_BY(refused_mutex_);
};

}  // namespace zcluster::peer
