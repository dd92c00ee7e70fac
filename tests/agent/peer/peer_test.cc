// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/agent/peer/pair.h"
#include "tests/agent/peer/wire.h"

namespace zcluster::peer {
namespace {

using testing::HasSubstr;

core::NodeState StateWith(uint64_t term, std::string message = "") {
  core::NodeState state;
  state.term.value = term;
  state.message = std::move(message);
  return state;
}

TEST_F(PairTest, BothHearThatTheLinkIsUp) {
  b_ = MakeB();
  a_ = MakeA(b_->port());
  a_->Tell(StateWith(7));  // before the start: nothing happens, nothing breaks
  b_->Start();
  a_->Start();
  const auto up_at_a = a_->events.Next<core::PeerConnected>();
  const auto up_at_b = b_->events.Next<core::PeerConnected>();
  ASSERT_TRUE(up_at_a.has_value()) << a_->events.Reason("none");
  ASSERT_TRUE(up_at_b.has_value()) << b_->events.Reason("none");
  EXPECT_EQ(up_at_a->address, "127.0.0.1");
  EXPECT_EQ(up_at_b->address, "127.0.0.1");
  EXPECT_EQ(up_at_b->version, "0.1.0");
}

TEST_F(PairTest, StatesTravelBothWaysAndTheLastOneArrives) {
  Connect();
  for (uint64_t term = 1; term <= 1000; ++term) a_->Tell(StateWith(term, "from a"));
  b_->Tell(StateWith(5, "from b"));
  const auto last = b_->events.Next<core::PeerReported>(
      [](const auto& event) { return event.state.term.value == 1000; });
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->state.message, "from a");
  const auto back = a_->events.Next<core::PeerReported>();
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->state.message, "from b");
}

TEST_F(PairTest, AQuestionAndItsAnswerAreNotLostAmongStates) {
  Connect();
  for (uint64_t term = 1; term <= 100; ++term) a_->Tell(StateWith(term));
  a_->Do(core::AskPeer{77});
  for (uint64_t term = 101; term <= 200; ++term) a_->Tell(StateWith(term));
  const auto asked = b_->events.Next<core::PeerAsked>();
  ASSERT_TRUE(asked.has_value());
  EXPECT_EQ(asked->nonce, 77u);
  b_->Do(core::AnswerPeer{77, {true, true, "198.51.100.1 answers"}});
  b_->Tell(StateWith(5));
  const auto answered = a_->events.Next<core::PeerAnswered>();
  ASSERT_TRUE(answered.has_value());
  EXPECT_EQ(answered->nonce, 77u);
  EXPECT_EQ(answered->testimony, (core::Testimony{true, true, "198.51.100.1 answers"}));
}

TEST_F(PairTest, ANewLinkCarriesTheTermAndTheStateOfBefore) {
  Connect();
  a_->Tell(StateWith(9, "kept"));
  ASSERT_TRUE(b_->events.Next<core::PeerReported>().has_value());
  const int port = b_->port();
  b_.reset();
  b_ = MakeB(Loopback(port));
  b_->Start();
  const auto up = b_->events.Next<core::PeerConnected>();
  ASSERT_TRUE(up.has_value()) << b_->events.Reason("none");
  EXPECT_EQ(up->term.value, 9u);
  const auto state = b_->events.Next<core::PeerReported>();
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->state.message, "kept");
}

TEST_F(PairTest, AStoppedPeerIsLostAndFoundAgain) {
  Connect();
  const int port = b_->port();
  b_.reset();
  EXPECT_THAT(a_->events.Reason("stops"), HasSubstr("zagent on b stops"));
  EXPECT_EQ(a_->events.Reason("refused"),
            absl::StrCat("connection refused by 127.0.0.1:", port, " (is zagent running there?)"));
  b_ = MakeB(Loopback(port));
  const absl::Time start = absl::Now();
  b_->Start();
  ASSERT_TRUE(a_->events.Next<core::PeerConnected>().has_value()) << a_->events.Reason("none");
  RecordProperty("reconnected_ms",
                 static_cast<int>(absl::ToInt64Milliseconds(absl::Now() - start)));
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

TEST_F(PairTest, APeerWhoseLoopHangsIsSilent) {
  Connect();
  b_->Hang(absl::Seconds(6));
  EXPECT_THAT(a_->events.Reason("silent"), HasSubstr("b is silent for 3 s"));
  // It comes back when the loop turns again.
  EXPECT_TRUE(a_->events.Next<core::PeerConnected>().has_value()) << a_->events.Reason("none");
}

TEST_F(PairTest, ADeadWireIsNoticedAndAMendedOneUsed) {
  b_ = MakeB();
  Wire wire(b_->port());
  a_ = MakeA(wire.port());
  b_->Start();
  a_->Start();
  ASSERT_TRUE(b_->events.Next<core::PeerConnected>().has_value()) << b_->events.Reason("none");
  const absl::Time cut = absl::Now();
  wire.Cut();
  EXPECT_EQ(a_->events.Reason("no answer"), absl::StrCat("no answer from 127.0.0.1:", wire.port()));
  EXPECT_LT(absl::Now() - cut, absl::Seconds(4));  // keepalive: two; silence: three
  EXPECT_THAT(b_->events.Reason("ended"), HasSubstr("the connection from a (127.0.0.1) ended"));
  wire.Mend();
  EXPECT_TRUE(b_->events.Next<core::PeerConnected>().has_value()) << a_->events.Reason("none");
}

TEST_F(PairTest, AHostThatNeverAnswersIsNamed) {
  Wire wire(1);
  wire.Cut();
  a_ = MakeA(wire.port());
  a_->Start();
  EXPECT_THAT(a_->events.Reason("no answer"),
              HasSubstr(absl::StrCat("no answer from 127.0.0.1:", wire.port())));
}

TEST_F(PairTest, ACertificateOfAnotherPairIsNamedOnBothNodes) {
  const test::Authority other(directory_.path(), "other");
  b_ = std::make_unique<Agent>(OptionsOf("b"), other.Issue("b", {.uri = Uri("b")}), "127.0.0.1:0",
                               std::vector<std::string>{});
  a_ = MakeA(b_->port());
  b_->Start();
  a_->Start();
  EXPECT_EQ(a_->events.Reason("CA"), "the peer's certificate is not signed by the pair's CA");
  EXPECT_EQ(b_->events.Reason("CA"), "the peer's certificate is not signed by the pair's CA");
}

TEST_F(PairTest, AnExpiredCertificateOfTheServerIsNamed) {
  const tls::Files old = authority_.Issue("b", {.uri = Uri("b"), .valid_to = -absl::Minutes(1)});
  Options options = OptionsOf("b");
  options.check_own_files = [old] { return tls::CheckOwnFiles(old, "zcluster://lab/node/b"); };
  b_ = std::make_unique<Agent>(options, old, "127.0.0.1:0", std::vector<std::string>{});
  a_ = MakeA(b_->port());
  b_->Start();
  a_->Start();
  EXPECT_THAT(a_->events.Reason("expired"), HasSubstr("the peer's certificate expired on 20"));
  EXPECT_THAT(b_->events.Reason("expired"), HasSubstr("b.crt expired on 20"));
}

TEST_F(PairTest, AnExpiredCertificateOfTheDialerIsNamed) {
  const tls::Files old = authority_.Issue("a", {.uri = Uri("a"), .valid_to = -absl::Minutes(1)});
  b_ = MakeB();
  a_ = std::make_unique<Agent>(OptionsOf("a", b_->port()), old, "127.0.0.1:0",
                               std::vector<std::string>{Loopback(b_->port())});
  b_->Start();
  a_->Start();
  EXPECT_THAT(b_->events.Reason("expired"), HasSubstr("the peer's certificate expired on 20"));
  EXPECT_THAT(a_->events.Reason("accept our certificate"), HasSubstr("does it accept"));
}

TEST_F(PairTest, AReasonIsToldOncePerChange) {
  b_ = MakeB();
  const int port = b_->port();
  b_.reset();
  a_ = MakeA(port);
  a_->Start();
  ASSERT_THAT(a_->events.Reason("refused"), HasSubstr("connection refused by"));
  const size_t events = a_->events.Count();
  EXPECT_EQ(events, 2u) << a_->events.Reason("none");  // connecting, refused
}

}  // namespace
}  // namespace zcluster::peer
