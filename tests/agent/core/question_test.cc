// SPDX-License-Identifier: Apache-2.0
#include "agent/core/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using testing::HasSubstr;

const Testimony kServes{true, true, "198.51.100.1 answers"};

// A backup whose keepalived has just taken over, although its peer still says that it is master.
Bench& TakeOver(Bench& bench) { return bench.BecomeReadyBackup().Vrrp(VrrpState::kMaster); }

TEST(Question, IsAskedWithTheNonceOfTheTakeoverWhileTheTakeoverStands) {
  Bench bench;
  TakeOver(bench);
  ASSERT_TRUE(bench.Last<AskPeer>());
  EXPECT_NE(bench.Last<AskPeer>()->nonce, 0u);
  EXPECT_TRUE(bench.Last<Announce>());
  EXPECT_FALSE(bench.Last<SetFault>());
  EXPECT_FALSE(bench.Last<Persist>());
  EXPECT_EQ(bench.Ever<SetStanding>()->standing, Standing::kStandby);
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kBackup);
  EXPECT_EQ(bench.Last<SendState>()->state.role, Role::kMaster);
  EXPECT_THAT(bench.Last<Publish>()->view.local.message, HasSubstr("asks it whether it serves"));
}

TEST(Question, IsNotAskedOfAPeerThatIsNotSeenOrStandsAside) {
  Bench lost;
  lost.BecomeReadyBackup().Tell(PeerDisconnected{"silent"}).Vrrp(VrrpState::kMaster);
  Bench aside;
  aside.BecomeReadyBackup().Peer(Role::kFault, 1, 1).Vrrp(VrrpState::kMaster);
  for (const Bench* bench : {&lost, &aside}) {
    EXPECT_EQ(bench->Count<AskPeer>(), 0);
    EXPECT_EQ(bench->Last<AssumeRole>()->role, Role::kMaster);
  }
}

TEST(Question, RefutedYieldsWithoutATermAndNamesTheCutPath) {
  Bench bench;
  const Term before = TakeOver(bench).state().durable.highest_term;
  bench.Answer(kServes);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "yields to node2");
  EXPECT_EQ(bench.Field("takeover_refuted", "cut_path"), "VRRP from 192.0.2.10 to 192.0.2.9");
  EXPECT_THAT(bench.Field("takeover_refuted", "because"), HasSubstr("198.51.100.1 answers"));
  bench.Pass(absl::Seconds(2)).Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
  bench.Vrrp(VrrpState::kBackup);
  EXPECT_EQ(bench.state().durable.highest_term, before);
  EXPECT_FALSE(bench.Logged("promoted"));
  EXPECT_EQ(bench.Last<SendState>()->state.role, Role::kBackup);
}

TEST(Question, RefutedAgainHoldsTheFaultUntilThePeerIsNoLongerMaster) {
  Bench bench;
  TakeOver(bench).Answer(kServes).Vrrp(VrrpState::kFault).Vrrp(VrrpState::kBackup);
  bench.Vrrp(VrrpState::kMaster).Answer(kServes).Vrrp(VrrpState::kFault).Pass(absl::Seconds(9));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "yields to node2");
  EXPECT_THAT(bench.Ever<Publish>()->view.local.message, HasSubstr("adverts of node2"));
  bench.Peer(Role::kFault, 1, 1);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
}

// What makes a takeover hold, and what is said of it.
struct Holds {
  const char* name;
  std::function<void(Bench&)> tell;
  const char* because;
};

class TakeoverHolds : public testing::TestWithParam<Holds> {};

TEST_P(TakeoverHolds, AndRaisesTheTerm) {
  Bench bench;
  TakeOver(bench);
  GetParam().tell(bench);
  EXPECT_THAT(bench.Field("takeover_holds", "because"), HasSubstr(GetParam().because));
  EXPECT_EQ(bench.Field("promoted", "term"), "2");
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kMaster);
  EXPECT_EQ(bench.Ever<SetStanding>()->standing, Standing::kPromotedAlone);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
  bench.Answer(kServes);  // too late
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
}

INSTANTIATE_TEST_SUITE_P(
    Question, TakeoverHolds,
    testing::Values(Holds{"IfThePeerIsNotMaster",
                          [](Bench& bench) {
                            bench.Answer({false, true, "keepalived says FAULT"});
                          },
                          "does not serve: keepalived says FAULT"},
                    Holds{"IfItsPathIsDead",
                          [](Bench& bench) {
                            bench.Answer({true, false, "no gateway answers"});
                          },
                          "its path: no gateway answers"},
                    Holds{"WithoutAnAnswer", [](Bench& bench) { bench.Pass(kShortestQuestion); },
                          "does not answer within 500ms"},
                    Holds{"IfTheLinkIsLost",
                          [](Bench& bench) { bench.Tell(PeerDisconnected{"silent"}); },
                          "the link is lost"},
                    Holds{"IfThePeerGivesUp", [](Bench& bench) { bench.Peer(Role::kFault, 1, 1); },
                          "no longer master"}),
    [](const auto& given) { return given.param.name; });

TEST(Question, TakesNoAnswerToAnotherNonce) {
  Bench bench;
  TakeOver(bench).Tell(PeerAnswered{1, kServes});
  EXPECT_FALSE(bench.Logged("takeover_refuted"));
  bench.Answer(kServes);
  EXPECT_TRUE(bench.Logged("takeover_refuted"));
}

TEST(Question, EndsWhenKeepalivedGivesUpByItself) {
  Bench bench;
  TakeOver(bench).Vrrp(VrrpState::kBackup).Answer(kServes);
  EXPECT_FALSE(bench.Logged("takeover_refuted"));
  EXPECT_FALSE(bench.Logged("promoted"));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
}

TEST(Question, IsOpenForOneAdvertWithinBounds) {
  Config config;
  for (const auto& [advert, bound] : {std::pair{absl::Milliseconds(10), kShortestQuestion},
                                      std::pair{absl::Milliseconds(700), absl::Milliseconds(700)},
                                      std::pair{absl::Seconds(40), kLongestQuestion}}) {
    config.advert_interval = advert;
    EXPECT_EQ(QuestionBound(config), bound);
  }
}

TEST(Answer, OfAMasterWaitsForItsPath) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(PeerAsked{7});
  EXPECT_FALSE(bench.Ever<AnswerPeer>());
  ASSERT_EQ(bench.Last<ProbePath>()->nonce, 7u);
  bench.Tell(PathProbed{6, true, "another"});
  EXPECT_FALSE(bench.Ever<AnswerPeer>());
  bench.Tell(PathProbed{7, true, "198.51.100.1 answers"});
  ASSERT_TRUE(bench.Last<AnswerPeer>());
  EXPECT_EQ(bench.Last<AnswerPeer>()->nonce, 7u);
  EXPECT_EQ(bench.Last<AnswerPeer>()->testimony, kServes);
  bench.Tell(PathProbed{7, false, "late"});
  EXPECT_EQ(bench.Count<AnswerPeer>(), 1);
}

TEST(Answer, OverTheVrrpNetworkNeedsNoProbe) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(PeerConnected{"192.0.2.10", "0.1.0", Term{}});
  bench.Tell(PeerAsked{7});
  ASSERT_TRUE(bench.Last<AnswerPeer>());
  EXPECT_TRUE(bench.Last<AnswerPeer>()->testimony.master);
  EXPECT_TRUE(bench.Last<AnswerPeer>()->testimony.path_alive);
}

TEST(Answer, OfOneThatDoesNotServeComesAtOnce) {
  Bench backup;
  backup.BecomeReadyBackup().Tell(PeerAsked{7});
  EXPECT_THAT(backup.Last<AnswerPeer>()->testimony.evidence, HasSubstr("BACKUP"));
  Bench aside;
  aside.BecomeReadyMaster().Ask(OperationKind::kSwitchover);
  aside.Tell(Flushed{OperationId{1}, Replicator::kConntrack}).Tell(PeerAsked{7});
  EXPECT_THAT(aside.Last<AnswerPeer>()->testimony.evidence, HasSubstr("switchover"));
  Bench hung;
  hung.BecomeReadyMaster().Tell(
      ComponentReported{std::string(kHungKeepalived), "process 17 hangs"});
  hung.Tell(PeerAsked{7});
  EXPECT_THAT(hung.Last<AnswerPeer>()->testimony.evidence, HasSubstr("keepalived hangs"));
  for (const Bench* bench : {&backup, &aside, &hung}) {
    EXPECT_FALSE(bench->Last<AnswerPeer>()->testimony.master);
    EXPECT_EQ(bench->Count<ProbePath>(), 0);
  }
}

TEST(Answer, OfAMasterWhoseKeepalivedHungMeanwhileSaysSo) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(PeerAsked{7});
  bench.Tell(ComponentReported{std::string(kHungKeepalived), "process 17 hangs"});
  bench.Tell(PathProbed{7, true, "198.51.100.1 answers"});
  EXPECT_EQ(bench.Last<AnswerPeer>()->testimony, (Testimony{false, true, "its keepalived hangs"}));
}

TEST(Answer, LetsTheOldMasterAnnounceOnceTheOtherHasLetGo) {
  Bench bench;
  bench.BecomeReadyMaster().Peer(Role::kMaster, 0, 1).Tell(PeerAsked{7});
  const int announced = bench.Count<Announce>();
  bench.Peer(Role::kFault, 0, 1);
  EXPECT_EQ(bench.Count<Announce>(), announced + 1);
}

}  // namespace
}  // namespace zcluster::core
