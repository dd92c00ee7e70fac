// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/peer/hello.h"

namespace zcluster::peer {
namespace {

using testing::HasSubstr;

constexpr absl::Duration kMs = absl::Milliseconds(1);
const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1);

Options OptionsOf(const std::string& node) {
  Options options;
  options.pair = "lab";
  options.node = node;
  options.peer = node == "a" ? "b" : "a";
  options.address = node == "a" ? "10.0.0.1" : "10.0.0.2";
  options.peer_address = node == "a" ? "10.0.0.2:7700" : "10.0.0.1:7700";
  options.version = "0.1.0";
  return options;
}

Heard Says(const std::string& node, v1::PeerMessage message) {
  return {std::move(message), "10.0.0.9", "zcluster://lab/node/" + node};
}

Heard HelloOf(const std::string& node, uint64_t term = 0) {
  v1::PeerMessage message;
  *message.mutable_hello() = MakeHello(OptionsOf(node), core::Term{term});
  return Says(node, message);
}

Heard StateOf(const std::string& node, uint64_t term) {
  v1::PeerMessage message;
  message.mutable_state()->set_term(term);
  return Says(node, message);
}

template <typename T>
std::vector<T> All(const Orders& orders) {
  std::vector<T> result;
  for (const Order& order : orders) {
    if (const T* one = std::get_if<T>(&order)) result.push_back(*one);
  }
  return result;
}

template <typename T>
std::vector<T> Events(const Orders& orders) {
  std::vector<T> result;
  for (const Report& report : All<Report>(orders)) {
    if (const T* event = std::get_if<T>(&report.event)) result.push_back(*event);
  }
  return result;
}

std::string ReasonIn(const Orders& orders) {
  const auto events = Events<core::PeerDisconnected>(orders);
  return events.size() == 1 ? events[0].reason : absl::StrCat(events.size(), " reasons");
}

class DialingLink : public testing::Test {
 protected:
  // Dials if due, and names the stream.
  bool Dials(const Orders& orders) {
    if (All<Dial>(orders).empty()) return false;
    const Orders sent = link_.Opened(++stream_, Direction::kDialed, now_);
    EXPECT_EQ(All<Send>(sent).size(), 1u);
    return true;
  }
  void BringUp() {
    ASSERT_TRUE(Dials(link_.Start(now_)));
    link_.Received(stream_, HelloOf("b", 3), now_);
    ASSERT_TRUE(link_.IsUp());
  }

  absl::Time now_ = kStart;
  StreamId stream_ = 0;
  Link link_{OptionsOf("a")};
};

TEST_F(DialingLink, IsUpAfterThePeersHello) {
  ASSERT_TRUE(Dials(link_.Start(now_)));
  EXPECT_FALSE(link_.IsUp());
  const Orders orders = link_.Received(stream_, HelloOf("b", 3), now_);
  const auto up = Events<core::PeerConnected>(orders);
  ASSERT_EQ(up.size(), 1u);
  EXPECT_EQ(up[0].term, core::Term{3});
  EXPECT_EQ(up[0].address, "10.0.0.9");
  EXPECT_TRUE(link_.IsUp());
}

TEST_F(DialingLink, AsksAndAnswersOnlyWhileItIsUp) {
  EXPECT_TRUE(link_.Ask({7}).empty());
  EXPECT_TRUE(link_.Answer({7, {}}).empty());
  BringUp();
  EXPECT_EQ(All<Send>(link_.Ask({7})).size(), 1u);
  EXPECT_EQ(All<Send>(link_.Answer({7, {}})).size(), 1u);
}

TEST_F(DialingLink, RefusesAnAnswerThatBreaksABound) {
  BringUp();
  v1::PeerMessage message;
  message.mutable_answer()->set_evidence(std::string(1025, 'x'));
  EXPECT_THAT(ReasonIn(link_.Received(stream_, Says("b", message), now_)),
              HasSubstr("answer.evidence: 1025 bytes"));
  EXPECT_FALSE(link_.IsUp());
}

TEST_F(DialingLink, GivesAnAttemptThreeSeconds) {
  ASSERT_TRUE(Dials(link_.Start(now_)));
  EXPECT_EQ(link_.WakeAt(), now_ + absl::Seconds(3));
  now_ += absl::Seconds(3) - kMs;
  EXPECT_TRUE(link_.Woke(now_).empty());
  now_ += kMs;
  const Orders orders = link_.Woke(now_);
  EXPECT_EQ(All<Close>(orders).size(), 1u);
  EXPECT_EQ(ReasonIn(orders), "no answer from 10.0.0.2:7700 within 3 s");
}

TEST_F(DialingLink, WaitsLongerAfterEachFailureUpToTwoSeconds) {
  ASSERT_TRUE(Dials(link_.Start(now_)));
  absl::Duration longest = 100 * kMs;
  for (int attempt = 0; attempt < 10; ++attempt) {
    link_.Ended(stream_, "refused", now_);
    const absl::Duration wait = link_.WakeAt() - now_;
    EXPECT_GE(wait, longest / 2) << attempt;
    EXPECT_LE(wait, longest) << attempt;
    longest = std::min(2 * longest, absl::Seconds(2));
    now_ += wait;
    ASSERT_TRUE(Dials(link_.Woke(now_))) << attempt;
  }
}

TEST_F(DialingLink, TellsAReasonOncePerChange) {
  ASSERT_TRUE(Dials(link_.Start(now_)));
  EXPECT_EQ(ReasonIn(link_.Ended(stream_, "one", now_)), "one");
  now_ = link_.WakeAt();
  ASSERT_TRUE(Dials(link_.Woke(now_)));
  EXPECT_EQ(ReasonIn(link_.Ended(stream_, "one", now_)), "0 reasons");
  now_ = link_.WakeAt();
  ASSERT_TRUE(Dials(link_.Woke(now_)));
  EXPECT_EQ(ReasonIn(link_.Ended(stream_, "two", now_)), "two");
}

TEST_F(DialingLink, DialsAtOnceWhenTheWireComesBack) {
  ASSERT_TRUE(Dials(link_.Start(now_)));
  link_.Ended(stream_, "refused", now_);
  EXPECT_TRUE(Dials(link_.Hurry(now_)));
  EXPECT_FALSE(Dials(link_.Hurry(now_))) << "one attempt at a time";
}

TEST_F(DialingLink, DialsAgainAfterALoss) {
  BringUp();
  EXPECT_EQ(ReasonIn(link_.Ended(stream_, "cut", now_)), "cut");
  EXPECT_FALSE(link_.IsUp());
  EXPECT_LE(link_.WakeAt(), now_ + 100 * kMs);
  EXPECT_TRUE(Dials(link_.Woke(link_.WakeAt())));
}

TEST_F(DialingLink, ReportsTheSameReasonAgainAfterItWasUp) {
  BringUp();
  EXPECT_EQ(ReasonIn(link_.Ended(stream_, "cut", now_)), "cut");
  now_ = link_.WakeAt();
  ASSERT_TRUE(Dials(link_.Woke(now_)));
  link_.Received(stream_, HelloOf("b"), now_);
  EXPECT_EQ(ReasonIn(link_.Ended(stream_, "cut", now_)), "cut");
}

TEST_F(DialingLink, ThreeSecondsOfSilenceAreALoss) {
  BringUp();
  now_ += absl::Seconds(2);
  EXPECT_EQ(Events<core::PeerReported>(link_.Received(stream_, StateOf("b", 4), now_)).size(), 1u);
  now_ += absl::Seconds(2);
  EXPECT_TRUE(link_.Woke(now_).empty());
  EXPECT_EQ(link_.WakeAt(), now_ + absl::Seconds(1));
  now_ += absl::Seconds(1);
  const Orders orders = link_.Woke(now_);
  EXPECT_EQ(All<Close>(orders).size(), 1u);
  EXPECT_THAT(ReasonIn(orders), HasSubstr("b is silent for 3 s"));
}

TEST_F(DialingLink, ItsOwnStandstillIsNotThePeersSilence) {
  BringUp();
  now_ += absl::Seconds(10);  // our loop stood still
  EXPECT_TRUE(All<Close>(link_.Woke(now_)).empty());
  // What waited in the queue is heard now.
  link_.Received(stream_, StateOf("b", 4), now_);
  EXPECT_TRUE(link_.IsUp());
  EXPECT_EQ(link_.WakeAt(), now_ + absl::Seconds(3));
}

TEST_F(DialingLink, APeerThatIsSilentAfterOurStandstillIsLostSoon) {
  BringUp();
  now_ += absl::Seconds(10);
  link_.Woke(now_);
  now_ = link_.WakeAt();
  EXPECT_LE(now_, kStart + absl::Seconds(11));
  EXPECT_THAT(ReasonIn(link_.Woke(now_)), HasSubstr("silent"));
}

TEST_F(DialingLink, RefusesAStreamOfThePeer) {
  BringUp();
  const auto closed = All<Close>(link_.Opened(99, Direction::kServed, now_));
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].why.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(link_.IsUp());
}

TEST_F(DialingLink, OwnTroubleComesBeforeAllOtherReasons) {
  ASSERT_TRUE(Dials(link_.Start(now_)));
  EXPECT_EQ(ReasonIn(link_.OwnTrouble("our certificate expired")), "our certificate expired");
  EXPECT_EQ(ReasonIn(link_.Ended(stream_, "closed", now_)), "0 reasons");
  EXPECT_EQ(ReasonIn(link_.OwnTrouble("")), "closed");
}

TEST_F(DialingLink, SendsTheLastStateWhenItComesUp) {
  core::NodeState state;
  state.term = core::Term{8};
  EXPECT_TRUE(link_.Tell(state).empty());
  ASSERT_FALSE(All<Dial>(link_.Start(now_)).empty());
  const auto hello = All<Send>(link_.Opened(1, Direction::kDialed, now_));
  ASSERT_EQ(hello.size(), 1u);
  EXPECT_EQ(hello[0].message.hello().term(), 8u);
  const auto sent = All<Send>(link_.Received(1, HelloOf("b"), now_));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].message.state().term(), 8u);
}

// What an authenticated peer may get wrong.
struct Unsound {
  std::string name;
  absl::StatusOr<v1::PeerMessage> message;
};

v1::PeerMessage SecondHello() { return *HelloOf("b").message; }

v1::PeerMessage StateOutOfBounds() {
  v1::PeerMessage message;
  message.mutable_state()->set_priority(255);
  return message;
}

class UnsoundMessage : public DialingLink, public testing::WithParamInterface<Unsound> {};

TEST_P(UnsoundMessage, EndsTheStreamAndReportsNoState) {
  BringUp();
  const Orders orders =
      link_.Received(stream_, Heard{GetParam().message, "10.0.0.9", "zcluster://lab/node/b"}, now_);
  const auto closed = All<Close>(orders);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].why.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Events<core::PeerReported>(orders).empty());
  EXPECT_EQ(Events<core::PeerDisconnected>(orders).size(), 1u);
  EXPECT_FALSE(link_.IsUp());
}

INSTANTIATE_TEST_SUITE_P(Link, UnsoundMessage,
                         testing::Values(Unsound{"SecondHello", SecondHello()},
                                         Unsound{"StateOutOfBounds", StateOutOfBounds()},
                                         Unsound{"Garbage", absl::InvalidArgumentError("garbage")}),
                         [](const auto& unsound) { return unsound.param.name; });

TEST_F(DialingLink, IgnoresAKindThatOnlyANewerPeerKnows) {
  BringUp();
  EXPECT_TRUE(link_.Received(stream_, Says("b", {}), now_).empty());
  EXPECT_TRUE(link_.IsUp());
}

class ServingLink : public testing::Test {
 protected:
  void SetUp() override { link_.Start(now_); }
  void BringUp(StreamId stream) {
    link_.Opened(stream, Direction::kServed, now_);
    link_.Received(stream, HelloOf("a"), now_);
    ASSERT_TRUE(link_.IsUp());
  }

  absl::Time now_ = kStart;
  Link link_{OptionsOf("b")};
};

TEST_F(ServingLink, NeverDials) {
  EXPECT_EQ(link_.WakeAt(), absl::InfiniteFuture());
  BringUp(1);
  link_.Ended(1, "cut", now_);
  EXPECT_TRUE(link_.Woke(now_ + absl::Hours(1)).empty());
}

TEST_F(ServingLink, AnswersAHelloWithItsOwn) {
  EXPECT_TRUE(link_.Opened(1, Direction::kServed, now_).empty());
  const Orders orders = link_.Received(1, HelloOf("a", 6), now_);
  const auto sent = All<Send>(orders);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].message.hello().node(), "b");
  ASSERT_EQ(Events<core::PeerConnected>(orders).size(), 1u);
}

TEST_F(ServingLink, AWrongHelloIsAnsweredWithTheReason) {
  link_.Opened(1, Direction::kServed, now_);
  Heard heard = HelloOf("a");
  heard.message->mutable_hello()->set_pair("prod");
  const Orders orders = link_.Received(1, heard, now_);
  const auto closed = All<Close>(orders);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].why.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonIn(orders), std::string(closed[0].why.message()));
}

TEST_F(ServingLink, AStateBeforeTheHelloIsRefused) {
  link_.Opened(1, Direction::kServed, now_);
  const Orders orders = link_.Received(1, StateOf("a", 3), now_);
  ASSERT_EQ(All<Close>(orders).size(), 1u);
  EXPECT_EQ(All<Close>(orders)[0].why.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Events<core::PeerReported>(orders).empty());
}

TEST_F(ServingLink, AMissingHelloEndsTheStream) {
  link_.Opened(1, Direction::kServed, now_);
  now_ = link_.WakeAt();
  EXPECT_EQ(now_, kStart + absl::Seconds(3));
  const Orders orders = link_.Woke(now_);
  ASSERT_EQ(All<Close>(orders).size(), 1u);
  EXPECT_EQ(All<Close>(orders)[0].why.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonIn(orders), "a connected, but said no hello within 3 s");
}

TEST_F(ServingLink, ANewStreamReplacesTheOldOne) {
  BringUp(1);
  link_.Opened(2, Direction::kServed, now_);
  const Orders orders = link_.Received(2, HelloOf("a", 9), now_);
  const auto closed = All<Close>(orders);
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_EQ(closed[0].stream, 1u);
  EXPECT_EQ(ReasonIn(orders), "a opened a new link");
  EXPECT_EQ(Events<core::PeerConnected>(orders).size(), 1u);
  EXPECT_TRUE(link_.Ended(1, "late", now_).empty());
  EXPECT_TRUE(link_.IsUp());
}

TEST_F(ServingLink, AStreamThatFailsLeavesTheLiveOneAlone) {
  BringUp(1);
  link_.Opened(2, Direction::kServed, now_);
  Heard heard = HelloOf("a");
  heard.message->mutable_hello()->set_node("c");
  const Orders orders = link_.Received(2, heard, now_);
  EXPECT_EQ(All<Close>(orders).size(), 1u);
  EXPECT_TRUE(Events<core::PeerDisconnected>(orders).empty());
  EXPECT_TRUE(link_.IsUp());
}

TEST_F(ServingLink, BoundsTheStreamsWithoutAHello) {
  for (StreamId stream = 1; stream <= 4; ++stream) {
    EXPECT_TRUE(link_.Opened(stream, Direction::kServed, now_).empty());
  }
  EXPECT_EQ(All<Close>(link_.Opened(5, Direction::kServed, now_)).size(), 1u);
}

TEST_F(ServingLink, ShowsARefusalForAWhile) {
  EXPECT_EQ(ReasonIn(link_.Refused("expired", now_)), "expired");
  now_ = link_.WakeAt();
  EXPECT_EQ(now_, kStart + absl::Seconds(10));
  EXPECT_EQ(ReasonIn(link_.Woke(now_)), "waiting for a (10.0.0.1) to connect");
}

TEST_F(ServingLink, AStrangerWhoKnocksOftenBothersTheBrainOnceASecond) {
  EXPECT_EQ(ReasonIn(link_.Refused("one", now_)), "one");
  EXPECT_TRUE(link_.Refused("two", now_ + 999 * kMs).empty());
  EXPECT_EQ(ReasonIn(link_.Refused("three", now_ + absl::Seconds(1))), "three");
}

TEST_F(ServingLink, ARefusalDoesNotTouchALivingLink) {
  BringUp(1);
  EXPECT_TRUE(link_.Refused("stranger", now_).empty());
  EXPECT_TRUE(link_.IsUp());
}

}  // namespace
}  // namespace zcluster::peer
