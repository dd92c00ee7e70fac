// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/peer/hello.h"
#include "agent/wire/wire.h"
#include "common/grpc_address.h"

namespace zcluster::peer {
namespace {

constexpr absl::Duration kFirstRetry = absl::Milliseconds(100);
constexpr absl::Duration kLongestRetry = absl::Seconds(2);
// From dialing to the peer's hello; also for a served stream's hello. Two addresses get a second
// each before.
constexpr absl::Duration kHelloWithin = absl::Seconds(3);
// The peer tells its state at least once a second. gRPC's keepalive only shows that its process
// answers, not that its loop turns.
constexpr absl::Duration kSilence = absl::Seconds(3);
// Waking this much too late means that our own loop stood still: the silence may have been ours,
// and what the peer said meanwhile waits behind us in the queue. It gets as much time to be heard.
constexpr absl::Duration kOverslept = absl::Milliseconds(500);
// A link that lived this long was a good one: the next trouble starts with short waits again.
constexpr absl::Duration kLivedWell = absl::Seconds(5);
// An honest peer has one, for a moment two.
constexpr size_t kMaxCandidates = 4;
// A stranger may knock as often as it likes: the brain is bothered this often.
constexpr absl::Duration kBetweenRefusals = absl::Seconds(1);
// A refusal explains a link that is down for so long; a peer that still tries repeats it.
constexpr absl::Duration kRefusalHolds = absl::Seconds(10);

std::string InSeconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Seconds(duration), " s");
}

}  // namespace

Link::Link(Options options) : options_(std::move(options)), backoff_(kFirstRetry, kLongestRetry) {}

Orders Link::Start(absl::Time now) {
  Down(Waiting());
  if (options_.Dials()) dial_at_ = now;
  DialIfDue(now);
  return Take();
}

Orders Link::Opened(StreamId stream, Direction direction, absl::Time now) {
  if (direction == Direction::kServed && options_.Dials()) {
    orders_.push_back(Close{stream, absl::FailedPreconditionError(absl::StrCat(
                                        options_.node, " dials ", options_.peer, ", not ",
                                        options_.peer, " it: do the nodes' names agree?"))});
  } else if (candidates_.size() >= kMaxCandidates) {
    orders_.push_back(
        Close{stream, absl::ResourceExhaustedError("too many links without a hello")});
  } else {
    candidates_[stream] = {direction, now + kHelloWithin};
    if (direction == Direction::kDialed) SendHello(stream);
  }
  return Take();
}

Orders Link::Received(StreamId stream, const Heard& heard, absl::Time now) {
  if (live_.has_value() && live_->stream == stream) {
    if (heard.message.ok()) {
      Note(*heard.message, now);
    } else {
      orders_.push_back(Close{stream, heard.message.status()});
      Lose(std::string(heard.message.status().message()), now);
    }
  } else if (auto candidate = candidates_.find(stream); candidate != candidates_.end()) {
    const Direction direction = candidate->second.direction;
    candidates_.erase(candidate);
    Greet(stream, direction, heard, now);
  }
  return Take();
}

// The first message of a stream makes it the live one, or ends it.
void Link::Greet(StreamId stream, Direction direction, const Heard& heard, absl::Time now) {
  absl::Status verdict = heard.message.status();
  if (verdict.ok() && !heard.message->has_hello()) {
    verdict = absl::InvalidArgumentError("the first message must be a hello");
  }
  if (verdict.ok()) verdict = CheckHello(options_, heard.message->hello(), heard.certificate_uri);
  if (!verdict.ok()) {
    orders_.push_back(Close{stream, verdict});
    Fail(direction, std::string(verdict.message()), now);
    return;
  }
  if (live_.has_value()) {
    const std::string reason = absl::StrCat(options_.peer, " opened a new link");
    orders_.push_back(Close{live_->stream, absl::AbortedError(reason)});
    Lose(reason, now);
  }
  if (direction == Direction::kServed) SendHello(stream);
  live_ = {stream, now, now};
  dial_at_ = absl::InfiniteFuture();
  reported_.clear();
  const v1::Hello& hello = heard.message->hello();
  orders_.push_back(
      Report{core::PeerConnected{heard.address, hello.version(), core::Term{hello.term()}}});
  SendState();
}

// A message on the live stream.
void Link::Note(const v1::PeerMessage& message, absl::Time now) {
  live_->heard = now;
  absl::Status verdict;
  switch (message.kind_case()) {
    case v1::PeerMessage::kState: {
      absl::StatusOr<core::NodeState> state = wire::FromProto(message.state());
      if (state.ok()) {
        orders_.push_back(Report{core::PeerReported{*std::move(state)}});
      } else {
        verdict = state.status();
      }
      break;
    }
    case v1::PeerMessage::kHello:
      verdict = absl::InvalidArgumentError("a second hello");
      break;
    case v1::PeerMessage::kQuestion:
      orders_.push_back(Report{core::PeerAsked{message.question().nonce()}});
      break;
    case v1::PeerMessage::kAnswer: {
      absl::StatusOr<core::PeerAnswered> answer = wire::FromProto(message.answer());
      if (answer.ok()) {
        orders_.push_back(Report{*std::move(answer)});
      } else {
        verdict = answer.status();
      }
      break;
    }
    case v1::PeerMessage::KIND_NOT_SET:
      break;  // a kind that only a newer peer knows
  }
  if (verdict.ok()) return;
  orders_.push_back(Close{live_->stream, verdict});
  Lose(absl::StrCat(options_.peer, " sent an unsound message: ", verdict.message()), now);
}

Orders Link::Ended(StreamId stream, const std::string& reason, absl::Time now) {
  if (live_.has_value() && live_->stream == stream) {
    Lose(reason, now);
  } else if (auto candidate = candidates_.find(stream); candidate != candidates_.end()) {
    const Direction direction = candidate->second.direction;
    candidates_.erase(candidate);
    Fail(direction, reason, now);
  }
  return Take();
}

Orders Link::Refused(const std::string& reason, absl::Time now) {
  if (!IsUp() && now - refused_at_ >= kBetweenRefusals) {
    refused_at_ = now;
    Down(reason);
  }
  return Take();
}

Orders Link::OwnTrouble(const std::string& trouble) {
  trouble_ = trouble;
  if (!IsUp()) Down(reason_);
  return Take();
}

Orders Link::Tell(const core::NodeState& state) {
  state_ = state;
  SendState();
  return Take();
}

Orders Link::Ask(const core::AskPeer& question) {
  v1::PeerMessage message;
  message.mutable_question()->set_nonce(question.nonce);
  if (live_.has_value()) orders_.push_back(Send{live_->stream, std::move(message)});
  return Take();
}

Orders Link::Answer(const core::AnswerPeer& answer) {
  v1::PeerMessage message;
  *message.mutable_answer() = wire::ToProto(answer.nonce, answer.testimony);
  if (live_.has_value()) orders_.push_back(Send{live_->stream, std::move(message)});
  return Take();
}

Orders Link::Hurry(absl::Time now) {
  if (dial_at_ != absl::InfiniteFuture()) dial_at_ = now;
  DialIfDue(now);
  return Take();
}

Orders Link::Woke(absl::Time now) {
  if (live_.has_value() && now - WakeAt() > kOverslept) {
    live_->heard = std::max(live_->heard, now - kSilence + kOverslept);
  }
  ExpireCandidates(now);
  if (live_.has_value() && now - live_->heard >= kSilence) {
    const std::string reason = absl::StrCat(options_.peer, " is silent for ", InSeconds(kSilence),
                                            " (does its zagent hang?)");
    orders_.push_back(Close{live_->stream, absl::DeadlineExceededError(
                                               absl::StrCat("silent for ", InSeconds(kSilence)))});
    Lose(reason, now);
  }
  if (now >= RefusalFadesAt()) {
    refused_at_ = absl::InfinitePast();
    Down(Waiting());
  }
  DialIfDue(now);
  return Take();
}

void Link::ExpireCandidates(absl::Time now) {
  for (auto next = candidates_.begin(); next != candidates_.end();) {
    const auto [stream, candidate] = *next++;
    if (now < candidate.deadline) continue;
    candidates_.erase(stream);
    if (candidate.direction == Direction::kDialed) {
      const std::string reason = absl::StrCat("no answer from ", options_.peer_address, " within ",
                                              InSeconds(kHelloWithin));
      orders_.push_back(Close{stream, absl::DeadlineExceededError(reason)});
      Fail(candidate.direction, reason, now);
    } else {
      const std::string reason = absl::StrCat("no hello within ", InSeconds(kHelloWithin));
      orders_.push_back(Close{stream, absl::InvalidArgumentError(reason)});
      Fail(candidate.direction, absl::StrCat(options_.peer, " connected, but said ", reason), now);
    }
  }
}

absl::Time Link::WakeAt() const {
  absl::Time at = dial_at_;
  for (const auto& [stream, candidate] : candidates_) at = std::min(at, candidate.deadline);
  if (live_.has_value()) at = std::min(at, live_->heard + kSilence);
  return std::min(at, RefusalFadesAt());
}

// The node that dials has a newer reason with each attempt; the one that waits has not.
absl::Time Link::RefusalFadesAt() const {
  if (IsUp() || options_.Dials() || refused_at_ == absl::InfinitePast()) {
    return absl::InfiniteFuture();
  }
  return refused_at_ + kRefusalHolds;
}

// The live stream is no more.
void Link::Lose(const std::string& reason, absl::Time now) {
  if (now - live_->since >= kLivedWell) backoff_.Reset();
  live_.reset();
  Down(reason);
  if (options_.Dials()) dial_at_ = now + backoff_.Next();
}

// A candidate came to nothing.
void Link::Fail(Direction direction, const std::string& reason, absl::Time now) {
  if (!IsUp()) Down(reason);
  if (direction == Direction::kDialed) dial_at_ = now + backoff_.Next();
}

void Link::Down(const std::string& reason) {
  reason_ = reason;
  const std::string& told = trouble_.empty() ? reason_ : trouble_;
  if (told == reported_) return;
  reported_ = told;
  orders_.push_back(Report{core::PeerDisconnected{told}});
}

void Link::DialIfDue(absl::Time now) {
  if (now < dial_at_) return;
  dial_at_ = absl::InfiniteFuture();
  orders_.push_back(Dial{});
}

void Link::SendHello(StreamId stream) {
  v1::PeerMessage message;
  *message.mutable_hello() = MakeHello(options_, state_.has_value() ? state_->term : core::Term{});
  orders_.push_back(Send{stream, std::move(message)});
}

void Link::SendState() {
  if (!live_.has_value() || !state_.has_value()) return;
  v1::PeerMessage message;
  *message.mutable_state() = wire::ToProto(*state_);
  orders_.push_back(Send{live_->stream, std::move(message)});
}

std::string Link::Waiting() const {
  return options_.Dials() ? absl::StrCat("connecting to ", options_.peer_address)
                          : absl::StrCat("waiting for ", options_.peer, " (",
                                         HostOf(options_.peer_address), ") to connect");
}

Orders Link::Take() { return std::exchange(orders_, {}); }

}  // namespace zcluster::peer
