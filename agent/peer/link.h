// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/core/action.h"
#include "agent/core/event.h"
#include "agent/peer/options.h"
#include "common/backoff.h"
#include "zcluster/v1/peer.pb.h"

// When the link is up, when it is lost, and when to dial again. No I/O, no clock, no gRPC.
namespace zcluster::peer {

// Names a stream; never used twice.
using StreamId = uint64_t;

enum class Direction { kDialed, kServed };

// One message (or what stood in its place: INVALID_ARGUMENT) and who proved to have sent it.
struct Heard {
  absl::StatusOr<v1::PeerMessage> message;
  std::string address;          // the remote host, without port
  std::string certificate_uri;  // of the certificate it showed; empty if it showed none
};

// What a Link wants done, in order.
struct Dial {};  // open a stream and tell Opened()
struct Send {
  StreamId stream;
  v1::PeerMessage message;
};
struct Close {  // the Link knows of the stream no longer
  StreamId stream;
  absl::Status why;
};
struct Report {
  core::Event event;
};
using Order = std::variant<Dial, Send, Close, Report>;
using Orders = std::vector<Order>;

// The state of the link to the peer. A stream is a candidate until both sides said hello, then it
// is live; there is at most one live stream, and a newer one replaces it, because a peer that dials
// again has lost the old one, even if we have not noticed yet. A candidate that fails leaves the
// live one alone. Not thread-safe; `now` never falls.
class Link {
 public:
  explicit Link(Options options);

  // Once, first.
  Orders Start(absl::Time now);
  // A stream exists: dialed as ordered, or opened by the peer.
  Orders Opened(StreamId stream, Direction direction, absl::Time now);
  Orders Received(StreamId stream, const Heard& heard, absl::Time now);
  // The stream is gone; `reason` is a sentence. A stream that Close named is ignored.
  Orders Ended(StreamId stream, const std::string& reason, absl::Time now);
  // TLS refused somebody: who it was cannot be known, but while the link is down it was most likely
  // the peer.
  Orders Refused(const std::string& reason, absl::Time now);
  // What is wrong with our own certificate; empty: nothing. Comes before all other reasons.
  Orders OwnTrouble(const std::string& trouble);
  // The brain has news for the peer: sent now, or when the link is up.
  Orders Tell(const core::NodeState& state);
  // The brain asks the peer, or answers it: sent now, or not at all. An older one that still waits
  // is dropped.
  Orders Ask(const core::AskPeer& question);
  Orders Answer(const core::AnswerPeer& answer);
  // The wire to the peer has just come back: dial now.
  Orders Hurry(absl::Time now);
  // WakeAt() has come.
  Orders Woke(absl::Time now);

  // When Woke() must be called next, unless something else happens before; InfiniteFuture: never.
  absl::Time WakeAt() const;
  bool IsUp() const { return live_.has_value(); }

 private:
  struct Candidate {
    Direction direction;
    absl::Time deadline;  // for the hello
  };
  struct Live {
    StreamId stream;
    absl::Time since;
    absl::Time heard;
  };

  void Greet(StreamId stream, Direction direction, const Heard& heard, absl::Time now);
  void Note(const v1::PeerMessage& message, absl::Time now);
  void Lose(const std::string& reason, absl::Time now);
  void Fail(Direction direction, const std::string& reason, absl::Time now);
  void Down(const std::string& reason);
  void ExpireCandidates(absl::Time now);
  void DialIfDue(absl::Time now);
  void SendHello(StreamId stream);
  void SendState();
  absl::Time RefusalFadesAt() const;
  std::string Waiting() const;
  Orders Take();

  const Options options_;
  std::map<StreamId, Candidate> candidates_;
  absl::optional<Live> live_;
  absl::optional<core::NodeState> state_;  // the last that the brain told
  Backoff backoff_;
  absl::Time dial_at_ = absl::InfiniteFuture();
  std::string reason_;                            // why the link is down
  std::string trouble_;                           // of our own certificate
  std::string reported_;                          // what the brain was told last
  absl::Time refused_at_ = absl::InfinitePast();  // when TLS refused somebody
  Orders orders_;
};

}  // namespace zcluster::peer
