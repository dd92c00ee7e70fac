// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/client_callback.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "tests/support/fleet_identity.h"
#include "zcluster/v1/event.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::test {

// The hello of an agent that tells the truth. `journal` names its events.
v1::AgentHello HelloOf(const FleetIdentity& identity, const std::string& journal);

// One agent's end of the link to a controller, without a node behind it: it speaks the real
// protocol over a TLS connection of its own, and may be made to speak it badly. Keeps its events
// until they are acknowledged, as a real one does, and tells them again after it has dialed again.
// All functions from any thread. Many thousand of them share gRPC's few threads.
class FleetAgent {
 public:
  struct Options {
    std::string address;  // of the controller's port for agents, ADDRESS:PORT
    FleetIdentity identity;
    // As HelloOf() makes it, unless it shall lie. `first_event` and `last_event` are filled in at
    // each Dial().
    v1::AgentHello hello;
    // What happens on the stream, in order, from gRPC's threads, under no lock of ours. They must
    // not block, nor destroy the agent.
    std::function<void(const v1::Welcome&)> welcomed = {};
    std::function<void(const v1::ControllerMessage&)> heard = {};  // all but Welcome
    std::function<void(const absl::Status&)> ended = {};           // may Dial() again
    size_t max_batch = 256;                                        // events
    size_t max_unacknowledged = 4;                                 // batches
    // The oldest events beyond so many are dropped unacknowledged.
    size_t max_events = 100'000;
  };
  explicit FleetAgent(Options options);
  // Cuts the stream, and waits until gRPC has let go of it.
  ~FleetAgent();
  FleetAgent(const FleetAgent&) = delete;
  FleetAgent& operator=(const FleetAgent&) = delete;

  // Connects and says hello. There must be no stream (Cut() it, and wait for its end).
  void Dial() ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the stream, and then its connection, without a word.
  void Cut() ABSL_LOCKS_EXCLUDED(mutex_);
  // Takes nothing of what the controller sends any more, on this stream and later ones: what waits
  // for us fills its buffers. The end of the stream is then only seen when a write fails.
  void StopReading() ABSL_LOCKS_EXCLUDED(mutex_);

  // OK once Welcome has come on the present stream; how the stream has ended, if it has;
  // DEADLINE_EXCEEDED.
  absl::Status AwaitWelcome(absl::Duration patience) const ABSL_LOCKS_EXCLUDED(mutex_);
  // How the last stream ended; DEADLINE_EXCEEDED if it goes on.
  absl::Status AwaitEnd(absl::Duration patience) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Events for the journal: gives them their numbers, and tells them as soon as the protocol
  // allows, those of one call in one batch if they fit. Returns the number of the last.
  uint64_t Tell(std::vector<v1::Event> events) ABSL_LOCKS_EXCLUDED(mutex_);
  // Sends `message` as it is, so many times, after what waits already, however wrong it is. Dropped
  // if there is no stream; given up when the stream ends.
  void Send(v1::AgentMessage message, uint64_t times = 1) ABSL_LOCKS_EXCLUDED(mutex_);

  // The present stream has its Welcome.
  bool welcome() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The newest event that the controller has acknowledged.
  uint64_t taken() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Events that it has not.
  size_t unacknowledged() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Messages that have left since the agent was made; hello is one.
  uint64_t sent() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Stream;
  class Undertaker;
  struct Waiting {
    v1::AgentMessage message;
    uint64_t times;
  };

  void OnMessage(const v1::ControllerMessage& message) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnSent() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnBroken() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnEnd(Stream* stream, const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);
  bool reads() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Leave(bool cancel) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool NextMessage(v1::AgentMessage* message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Acknowledge(uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const std::shared_ptr<Undertaker> undertaker_;  // shared by all agents of the process
  mutable absl::Mutex mutex_;
  Stream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;  // owned by gRPC until its end
  int alive_ ABSL_GUARDED_BY(mutex_) = 0;  // streams that gRPC, or somebody told of the end, has
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool leaving_ ABSL_GUARDED_BY(mutex_) = false;  // nothing is begun on the stream any more
  bool reads_ ABSL_GUARDED_BY(mutex_) = true;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool welcome_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);  // of the last stream
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::Event> journal_ ABSL_GUARDED_BY(mutex_);  // not acknowledged
  uint64_t last_event_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t told_ ABSL_GUARDED_BY(mutex_) = 0;             // the newest that this stream has carried
  std::deque<uint64_t> batches_ ABSL_GUARDED_BY(mutex_);  // last numbers of those under way
  uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t sent_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace zcluster::test
