// SPDX-License-Identifier: Apache-2.0
#include "agent/core/brain.h"

#include "agent/core/failback.h"
#include "agent/core/question.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using testing::HasSubstr;

size_t PlaceOf(const std::vector<Action>& actions, bool (*is)(const Action&)) {
  for (size_t i = 0; i < actions.size(); ++i) {
    if (is(actions[i])) return i;
  }
  ADD_FAILURE() << "not ordered";
  return actions.size();
}

template <typename T>
bool Is(const Action& action) {
  return std::holds_alternative<T>(action);
}

TEST(Brain, RaisesTheTermAtPromotionAndPersistsItFirst) {
  Bench bench(TestConfig(), Durable{Term{7}, Term{3}, false});
  bench.Start().Vrrp(VrrpState::kBackup).Connect(7).Vrrp(VrrpState::kMaster);
  EXPECT_EQ(bench.Last<Persist>()->durable, (Durable{Term{8}, Term{8}, false}));
  EXPECT_EQ(bench.Last<AssumeRole>()->role, Role::kMaster);
  EXPECT_EQ(bench.Last<AssumeRole>()->term, Term{8});
  EXPECT_EQ(bench.Last<SendState>()->state.own_term, Term{8});
  EXPECT_TRUE(bench.Last<Announce>());
  EXPECT_EQ(bench.Field("promoted", "term"), "8");
  const size_t persist = PlaceOf(bench.last(), Is<Persist>);
  EXPECT_LT(persist, PlaceOf(bench.last(), Is<AssumeRole>));
  EXPECT_LT(persist, PlaceOf(bench.last(), Is<SendState>));
}

TEST(Brain, TakesATermAboveWhatThePeerEverTold) {
  Bench bench(TestConfig(), Durable{Term{3}, Term{3}, false});
  bench.Start().Vrrp(VrrpState::kBackup).Connect(11).Tell(PeerDisconnected{"gone"});
  bench.Vrrp(VrrpState::kMaster);
  EXPECT_EQ(bench.Last<AssumeRole>()->term, Term{12});
}

TEST(Brain, SaysWhyItWasPromoted) {
  Bench alone;
  alone.Start().Vrrp(VrrpState::kBackup).Vrrp(VrrpState::kMaster);
  EXPECT_EQ(alone.Field("promoted", "cause"), "peer_unreachable");
  Bench silent;
  silent.BecomeReadyBackup().Vrrp(VrrpState::kMaster).Pass(kLongestQuestion);
  EXPECT_EQ(silent.Field("promoted", "cause"), "adverts_stopped");
  Bench handed;
  handed.BecomeReadyBackup().Peer(Role::kFault, 1, 1).Vrrp(VrrpState::kMaster);
  EXPECT_EQ(handed.Field("promoted", "cause"), "peer_stood_aside");
}

TEST(Brain, ResumesItsTermWhenItsAgentRestarts) {
  Bench bench(TestConfig(), Durable{Term{5}, Term{5}, false});
  bench.Start();
  EXPECT_EQ(bench.Last<SetStanding>()->standing, Standing::kMaster);
  bench.Vrrp(VrrpState::kMaster);
  EXPECT_EQ(bench.Last<AssumeRole>()->term, Term{5});
  EXPECT_FALSE(bench.Ever<Persist>());
  EXPECT_TRUE(bench.Logged("resumed"));
  EXPECT_FALSE(bench.Logged("promoted"));
}

TEST(Brain, DoesNotResumeATermThatThePeerHasPassed) {
  Bench bench(TestConfig(), Durable{Term{6}, Term{5}, false});
  bench.Start().Vrrp(VrrpState::kMaster);
  EXPECT_EQ(bench.Last<AssumeRole>()->term, Term{7});
  EXPECT_TRUE(bench.Logged("promoted"));
}

TEST(Brain, DoesNotResumeAfterItStoodBy) {
  Bench bench(TestConfig(), Durable{Term{5}, Term{5}, false});
  bench.Start().Vrrp(VrrpState::kBackup).Vrrp(VrrpState::kMaster);
  EXPECT_EQ(bench.Last<AssumeRole>()->term, Term{6});
}

TEST(Brain, TellsVrrpThatItWasPromotedAloneUntilThePeerStandsBy) {
  Bench bench;
  bench.Start().Vrrp(VrrpState::kBackup).Vrrp(VrrpState::kMaster).Sync();
  EXPECT_EQ(bench.Ever<SetStanding>()->standing, Standing::kPromotedAlone);
  bench.Connect().Peer(Role::kBackup, 0, 0);
  EXPECT_EQ(bench.Ever<SetStanding>()->standing, Standing::kPromotedAlone);
  bench.Peer(Role::kBackup, 0, 1);
  EXPECT_EQ(bench.Last<SetStanding>()->standing, Standing::kMaster);
  bench.Tell(PeerDisconnected{"cut"});
  EXPECT_EQ(bench.Ever<SetStanding>()->standing, Standing::kMaster);
}

TEST(Brain, StopsSendingAndStandsByWhenDemoted) {
  Bench bench;
  bench.BecomeReadyMaster().Vrrp(VrrpState::kBackup);
  EXPECT_EQ(bench.Last<AssumeRole>()->role, Role::kBackup);
  EXPECT_EQ(bench.Last<SetStanding>()->standing, Standing::kStandby);
  EXPECT_EQ(bench.Field("demoted", "term"), "1");
}

TEST(Brain, RemembersThePeersTermOnDisk) {
  Bench bench;
  bench.Start().Vrrp(VrrpState::kBackup).Connect(4);
  EXPECT_EQ(bench.Last<Persist>()->durable.highest_term, Term{4});
  bench.Sync().Peer(Role::kMaster, 9, 9);
  EXPECT_EQ(bench.Last<Persist>()->durable.highest_term, Term{9});
}

TEST(Brain, TakesANewTermWhenAPeerThatStandsByKnowsALaterOne) {
  Bench bench;
  bench.BecomeReadyMaster().Peer(Role::kBackup, 6, 6);
  EXPECT_EQ(bench.Last<AssumeRole>()->term, Term{7});
  EXPECT_EQ(bench.Field("promoted", "cause"), "peer_knows_a_later_term");
}

TEST(Brain, YieldsToAMasterOfALaterTermAndComesBackAsStandby) {
  Bench bench;
  bench.BecomeReadyMaster().Peer(Role::kMaster, 2, 2).Tell(Merged{});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "yields to node2");
  EXPECT_EQ(bench.Field("yielded", "peer_term"), "2");
  bench.Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
  bench.Vrrp(VrrpState::kBackup);
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kBackup);
}

TEST(Brain, HoldsTheFaultWhenTheAdvertsOfTheMasterDoNotArrive) {
  Bench bench;
  bench.BecomeReadyMaster()
      .Peer(Role::kMaster, 2, 2)
      .Tell(Merged{})
      .Vrrp(VrrpState::kFault)
      .Vrrp(VrrpState::kBackup);
  bench.Pass(absl::Seconds(1)).Vrrp(VrrpState::kMaster);
  bench.Answer({true, true, "it serves"});
  bench.Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "yields to node2");
  EXPECT_EQ(bench.Ever<Publish>()->view.local.status, Status::kRed);
  EXPECT_THAT(bench.Ever<Publish>()->view.local.message,
              HasSubstr("adverts of node2 do not arrive"));
  bench.Pass(absl::Seconds(9));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "yields to node2");
  bench.Pass(absl::Seconds(1));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
}

TEST(Brain, EndsAHeldFaultAsSoonAsTheLinkIsLost) {
  Bench bench;
  bench.BecomeReadyMaster()
      .Peer(Role::kMaster, 2, 2)
      .Tell(Merged{})
      .Vrrp(VrrpState::kFault)
      .Vrrp(VrrpState::kBackup);
  bench.Vrrp(VrrpState::kMaster).Answer({true, true, "it serves"}).Vrrp(VrrpState::kFault);
  ASSERT_EQ(bench.Ever<SetFault>()->reason, "yields to node2");
  bench.Tell(PeerDisconnected{"silent for 3 s"});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
}

TEST(Brain, AnnouncesAgainWhenItWonAgainstAnotherMaster) {
  Bench bench;
  bench.BecomeReadyMaster().Peer(Role::kMaster, 0, 0);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
  const int announced = bench.Count<Announce>();
  bench.Peer(Role::kFault, 0, 1);
  EXPECT_EQ(bench.Count<Announce>(), announced + 1);
  bench.Peer(Role::kBackup, 0, 1);
  EXPECT_EQ(bench.Count<Announce>(), announced + 1);
}

TEST(Brain, TellsOfARouterOfTheSameIdOnceAndOfItsEnd) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(FactsReported{{{"router id", "192.0.2.77 sends, too"}}});
  EXPECT_EQ(bench.Field("router_id_in_use", "evidence"), "192.0.2.77 sends, too");
  EXPECT_FALSE(bench.Logged("router_id_is_ours"));
  bench.Tell(FactsReported{{{"router id", "alone"}}});
  EXPECT_TRUE(bench.Logged("router_id_is_ours"));
}

TEST(Brain, DoesNotYieldWhenItHandsOver) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(OperationKind::kSwitchover);
  bench.Tell(Flushed{OperationId{1}, Replicator::kConntrack}).Peer(Role::kMaster, 2, 2);
  EXPECT_FALSE(bench.Logged("yielded"));
}

TEST(Brain, ForgetsWhatAPeerSaidWhenTheLinkIsLost) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(PeerDisconnected{"cut"});
  EXPECT_EQ(bench.Last<Publish>()->view.remote.role, Role::kUnknown);
  bench.Connect();
  EXPECT_EQ(bench.Last<Publish>()->view.remote.role, Role::kUnknown);
  EXPECT_FALSE(bench.state().peer.told);
}

TEST(Brain, LogsALostLinkOncePerReason) {
  Bench bench;
  bench.Start();
  for (const char* reason : {"refused", "refused", "no answer", "no answer"}) {
    bench.Tell(PeerDisconnected{reason});
  }
  int logged = 0;
  for (const Action& action : bench.all()) {
    const auto* decision = std::get_if<LogDecision>(&action);
    logged += decision != nullptr && decision->event == "peer_disconnected" ? 1 : 0;
  }
  EXPECT_EQ(logged, 2);
}

TEST(Brain, StaysInMaintenanceOverARestart) {
  Bench bench(TestConfig(), Durable{Term{5}, Term{5}, true});
  bench.Start().Vrrp(VrrpState::kFault).Pass(absl::Minutes(10));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "maintenance");
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kMaintenance);
  EXPECT_EQ(bench.Ever<Publish>()->view.local.status, Status::kOrange);
}

TEST(Brain, ShowsTheProblemOfAPartAndItsEnd) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(ComponentReported{"heartbeat", "keepalived died"});
  EXPECT_EQ(bench.Last<Publish>()->view.local.status, Status::kRed);
  bench.Tell(ComponentReported{"heartbeat", ""});
  EXPECT_EQ(bench.Last<Publish>()->view.local.status, Status::kGreen);
}

TEST(Brain, TakesANewConfigurationAtOnce) {
  Bench bench;
  bench.BecomeReadyMaster();
  Config config = TestConfig();
  config.failback = Failback::kPreferred;
  config.preferred = "node2";
  config.advert_interval = absl::Milliseconds(300);
  bench.Tell(Configured{config});
  EXPECT_EQ(bench.state().config, config);
  EXPECT_EQ(bench.Field("configured", "advert_interval"), "300ms");
  bench.Pass(kFailbackHoldDown);
  EXPECT_TRUE(bench.Logged("failback"));
}

TEST(Brain, DoesNotFailBackAnyMoreWhenToldToKeep) {
  Config config = TestConfig();
  config.failback = Failback::kPreferred;
  config.preferred = "node2";
  Bench bench(config);
  bench.BecomeReadyMaster().Tell(Configured{TestConfig()}).Pass(kFailbackHoldDown * 2);
  EXPECT_FALSE(bench.Logged("failback"));
}

TEST(Brain, AsksForWhatIsReplicatedAnewBeforeItIsReady) {
  Bench bench;
  bench.BecomeReadyMaster();
  ASSERT_THAT(bench.Ever<Publish>()->view.not_ready, testing::IsEmpty());
  Config config = TestConfig();
  config.has_roots = true;
  bench.Tell(Configured{config});
  EXPECT_THAT(bench.Last<Publish>()->view.not_ready, testing::Not(testing::IsEmpty()));
  bench.Tell(Configured{TestConfig()});
  EXPECT_THAT(bench.Last<Publish>()->view.not_ready, testing::IsEmpty());
}

TEST(Brain, LetsAnOperationGoOnOverANewConfiguration) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(OperationKind::kSwitchover);
  Config config = TestConfig();
  config.advert_interval = absl::Seconds(1);
  bench.Tell(Configured{config});
  ASSERT_TRUE(bench.state().operation);
  EXPECT_EQ(bench.state().operation->phase, Phase::kFlushing);
  bench.Tell(Flushed{OperationId{1}, Replicator::kConntrack});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
}

TEST(Brain, WaitsNoLongerForFlowsThatAreNotReplicatedAnyMore) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(OperationKind::kSwitchover);
  Config config = TestConfig();
  config.replicate_conntrack = false;
  bench.Tell(Configured{config});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
}

TEST(Brain, IsNotDisturbedByTheSameConfiguration) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(Configured{TestConfig()});
  EXPECT_THAT(bench.last(), testing::IsEmpty());
}

TEST(BrainDeathTest, NeverTakesAnotherName) {
  Bench bench;
  bench.Start();
  Config config = TestConfig();
  config.peer_address = "192.0.2.11";
  EXPECT_DEATH(bench.Tell(Configured{config}), "peer_address");
}

TEST(Brain, GivesTheSameActionsForTheSameEvents) {
  const auto history = [] {
    Bench bench;
    bench.BecomeReadyMaster().Ask(OperationKind::kSwitchover).Pass(absl::Seconds(12));
    std::vector<size_t> kinds;
    for (const Action& action : bench.all()) kinds.push_back(action.index());
    return kinds;
  };
  EXPECT_EQ(history(), history());
}

}  // namespace
}  // namespace zcluster::core
