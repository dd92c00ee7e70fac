// SPDX-License-Identifier: Apache-2.0
#include "agent/core/failback.h"

#include <functional>

#include "agent/core/health.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);

// This node is master, the preferred one has been back and ready for long enough.
State PreferredIsBack() {
  State state;
  state.config = TestConfig();
  state.config.failback = Failback::kPreferred;
  state.config.preferred = "node2";
  state.role = Role::kMaster;
  state.role_since = kNow - absl::Minutes(5);
  state.vrrp = VrrpState::kMaster;
  state.conntrack = Synchronised();
  state.peer.connected = true;
  state.peer.since = kNow - kFailbackHoldDown;
  state.peer.told = PeerAs(Role::kBackup, 1, 2);
  return state;
}

struct Case {
  const char* name;
  std::function<void(State&)> change;
  bool may;
};

class TakesOver : public testing::TestWithParam<Case> {};

TEST_P(TakesOver, OnlyWhenNothingIsLost) {
  State state = PreferredIsBack();
  GetParam().change(state);
  EXPECT_EQ(MayFailBack(state, kNow), GetParam().may);
}

INSTANTIATE_TEST_SUITE_P(
    Failback, TakesOver,
    testing::Values(
        Case{"WhenSynchronised", [](State&) {}, true},
        Case{"NeverUnderKeep", [](State& s) { s.config.failback = Failback::kKeep; }, false},
        Case{"NotWhenThisNodeIsThePreferredOne", [](State& s) { s.config.preferred = "node1"; },
             false},
        Case{"NotFromABackup", [](State& s) { s.role = Role::kBackup; }, false},
        Case{"NotWhileFlowsAreMissing", [](State& s) { s.conntrack.synchronised = false; }, false},
        Case{"NotWithoutTheLink", [](State& s) { s.peer.connected = false; }, false},
        Case{"NotRightAfterThePeerCameBack",
             [](State& s) { s.peer.since = kNow - absl::Seconds(9); }, false},
        Case{"NotRightAfterAPromotion", [](State& s) { s.role_since = kNow - absl::Seconds(9); },
             false},
        Case{"NotDuringAnOperation", [](State& s) { s.operation = Operation{}; }, false},
        Case{"NotInThePauseAfterOneThatFailed",
             [](State& s) { s.no_failback_before = kNow + absl::Seconds(1); }, false},
        Case{"NotWhileFrozen", [](State& s) { s.durable.freeze.active = true; }, false},
        Case{"NotToAPeerOfWhichMoreFails",
             [](State& s) {
               s.peer.told->checks = {{"check", false, "exit code 1"}};
             },
             false},
        Case{"NotAfterManyMovesByHealth",
             [](State& s) { s.moves.made.assign(kMostMoves, kNow - absl::Minutes(9)); }, false},
        Case{"OnceTheyAreLongAgo",
             [](State& s) { s.moves.made.assign(kMostMoves, kNow - kFlapWindow); }, true},
        Case{"NotToAPeerInMaintenance", [](State& s) { s.peer.told->role = Role::kMaintenance; },
             false}),
    [](const auto& tested) { return tested.param.name; });

TEST(Failback, IsASwitchoverThatNobodyIsAnsweredAbout) {
  Config config = TestConfig();
  config.failback = Failback::kPreferred;
  config.preferred = "node2";
  Bench bench(config);
  bench.BecomeReadyMaster();
  bench.Pass(absl::Seconds(9));
  EXPECT_FALSE(bench.Logged("failback"));
  bench.Pass(absl::Seconds(2));
  EXPECT_EQ(bench.Field("failback", "to"), "node2");
  ASSERT_TRUE(bench.Ever<Flush>());
  bench.Tell(Flushed{OperationId{0}, Replicator::kConntrack});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
  bench.Vrrp(VrrpState::kFault).Peer(Role::kMaster, 2, 2).Vrrp(VrrpState::kBackup);
  EXPECT_EQ(bench.Field("operation_finished", "outcome"), "OK");
  EXPECT_FALSE(bench.Ever<Progressed>());
  EXPECT_FALSE(bench.Ever<Finished>());
}

TEST(Failback, WaitsAMinuteAfterOneThatFailed) {
  Config config = TestConfig();
  config.failback = Failback::kPreferred;
  config.preferred = "node2";
  Bench bench(config);
  bench.BecomeReadyMaster().Pass(absl::Seconds(11));
  const int flushes = bench.Count<Flush>();
  ASSERT_EQ(flushes, 1);
  bench.Pass(absl::Seconds(11));  // the flush is never answered
  EXPECT_NE(bench.Field("operation_finished", "outcome"), "OK");
  bench.Pass(absl::Seconds(50));
  EXPECT_EQ(bench.Count<Flush>(), flushes);
  bench.Pass(absl::Seconds(15));
  EXPECT_EQ(bench.Count<Flush>(), flushes + 1);
}

}  // namespace
}  // namespace zcluster::core
