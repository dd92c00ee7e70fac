// SPDX-License-Identifier: Apache-2.0
#include "agent/core/maintenance_time.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using testing::HasSubstr;

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);
const absl::Time kWall = absl::FromUnixSeconds(1'764'158'400);  // 2025-11-26 12:00:00 UTC

OperationAsked Enter(absl::Duration length, const std::string& reason = "") {
  OperationAsked asked;
  asked.operation = OperationId{1};
  asked.kind = OperationKind::kEnterMaintenance;
  asked.length = length;
  asked.reason = reason;
  return asked;
}

// A backup that went out for so long, and whose keepalived stands aside.
void GoesOut(Bench& bench, absl::Duration length, const std::string& reason = "") {
  bench.BecomeReadyBackup().Pass(absl::Milliseconds(100)).Tell(Enter(length, reason));
  bench.Sync().Vrrp(VrrpState::kFault);
  ASSERT_EQ(bench.state().role, Role::kMaintenance);
}

TEST(MaintenanceTime, SaysAllThatTheOperatorGave) {
  Durable durable;
  GoOut(durable, "", kWall, absl::InfiniteDuration());
  EXPECT_EQ(MaintenanceText(durable), "in maintenance");
  GoOut(durable, "new disk", kWall, absl::InfiniteDuration());
  EXPECT_EQ(MaintenanceText(durable), "in maintenance: new disk");
  GoOut(durable, "new disk", kWall, absl::Hours(2));
  EXPECT_EQ(MaintenanceText(durable), "in maintenance until 2025-11-26 14:00:00 UTC: new disk");
  ComeIn(durable);
  EXPECT_EQ(durable, Durable{}) << "nothing of it may be left for the next one";
}

TEST(MaintenanceTime, IsAtMostAsLongAsMeantWhereverTheClockIs) {
  Durable durable;
  GoOut(durable, "", kWall, absl::Hours(2));
  EXPECT_EQ(Remaining(durable, kWall + absl::Minutes(30)), absl::Minutes(90));
  EXPECT_EQ(Remaining(durable, kWall + absl::Hours(3)), absl::ZeroDuration());
  EXPECT_EQ(Remaining(durable, absl::UnixEpoch()), absl::Hours(2));
}

State TimeIsOver() {
  State state;
  state.config = TestConfig();
  GoOut(state.durable, "", kWall, absl::Hours(2));
  state.role = Role::kMaintenance;
  state.maintenance_time = {.ends = kNow, .over = true};
  state.conntrack = Synchronised();
  state.peer.connected = true;
  state.peer.since = kNow - absl::Hours(1);
  state.peer.told = PeerAs(Role::kMaster, 1, 1);
  return state;
}

struct Case {
  const char* name;
  std::function<void(State&)> change;
  bool may;
  absl::Duration later = absl::ZeroDuration();
};

class ComesBack : public testing::TestWithParam<Case> {};

TEST_P(ComesBack, OnceSynchronised) {
  State state = TimeIsOver();
  GetParam().change(state);
  EXPECT_EQ(MayComeBack(state, kNow + GetParam().later), GetParam().may);
}

void Unseen(State& state) {
  state.peer.connected = false;
  state.peer.told.reset();
}

INSTANTIATE_TEST_SUITE_P(
    MaintenanceTime, ComesBack,
    testing::Values(
        Case{"WhenSynchronised", [](State&) {}, true},
        Case{"NotBefore", [](State& s) { s.maintenance_time.over = false; }, false},
        Case{"NotWhileFlowsAreMissing", [](State& s) { s.conntrack.synchronised = false; }, false},
        Case{"NotEvenLater", [](State& s) { s.conntrack.synchronised = false; }, false,
             absl::Hours(9)},
        Case{"NotDuringAnOperation", [](State& s) { s.operation = Operation{}; }, false},
        Case{"NotWhileFrozen", [](State& s) { s.durable.freeze.active = true; }, false},
        Case{"NotInThePauseAfterOneThatFailed",
             [](State& s) { s.maintenance_time.no_return_before = kNow + absl::Seconds(1); },
             false},
        Case{"WhereNobodyServes", [](State& s) { s.peer.told->role = Role::kMaintenance; }, true},
        Case{"NotAtOnceWithoutThePeer", Unseen, false, kReturnUnheard - absl::Seconds(1)},
        Case{"InTheEndWithoutThePeer", Unseen, true, kReturnUnheard},
        Case{"NotAtOnceFromAPeerThatSaysNothing", [](State& s) { s.peer.told.reset(); }, false},
        Case{"NotAtOnceFromAPeerThatStarts", [](State& s) { s.peer.told->role = Role::kUnknown; },
             false}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(MaintenanceTime, EndsByItself) {
  Bench bench;
  GoesOut(bench, absl::Minutes(10), "new disk");
  EXPECT_EQ(bench.Ever<SendState>()->state.maintenance_reason, "new disk");
  bench.Pass(absl::Minutes(9));
  EXPECT_TRUE(bench.state().durable.maintenance);
  bench.Pass(absl::Minutes(1)).Sync();
  EXPECT_EQ(bench.Field("maintenance_over", "reason"), "new disk");
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
  bench.Vrrp(VrrpState::kBackup);
  EXPECT_EQ(bench.state().role, Role::kBackup);
  EXPECT_FALSE(bench.state().operation);
  EXPECT_EQ(bench.state().durable.maintenance_reason, "");
}

TEST(MaintenanceTime, WaitsForTheFlowsAndSaysSo) {
  Bench bench;
  GoesOut(bench, absl::Minutes(10));
  ConntrackState missing;
  missing.problem = "the snapshot is on its way";
  bench.Tell(ConntrackReported{missing}).Pass(absl::Minutes(30));
  EXPECT_TRUE(bench.state().durable.maintenance);
  EXPECT_THAT(bench.Ever<Publish>()->view.local.message,
              HasSubstr("its time is over; comes back once synchronised: "));
  bench.Tell(ConntrackReported{Synchronised()}).Pass(absl::Milliseconds(100)).Sync();
  EXPECT_FALSE(bench.state().durable.maintenance);
}

TEST(MaintenanceTime, OutlivesABoot) {
  Bench first;
  GoesOut(first, absl::Hours(2));
  const Durable left = first.state().durable;
  Bench second(TestConfig(), left);
  // An hour passed while the power was off.
  second.SetClock(left.maintenance_since + absl::Hours(1) - second.wall());
  second.Start().Connect(1).Peer(Role::kMaster, 1, 1).Tell(ConntrackReported{Synchronised()});
  second.Vrrp(VrrpState::kFault).Pass(absl::Minutes(59));
  EXPECT_EQ(second.state().role, Role::kMaintenance);
  second.Pass(absl::Minutes(1));
  EXPECT_TRUE(second.Logged("maintenance_over"));
}

TEST(MaintenanceTime, ANodeThatWasOffTooLongWaitsForItsPeerFirst) {
  Bench first;
  GoesOut(first, absl::Hours(2));
  const Durable left = first.state().durable;
  Bench second(TestConfig(), left);
  second.SetClock(left.maintenance_until + absl::Hours(9) - second.wall());
  second.Start().Vrrp(VrrpState::kFault).Pass(absl::Seconds(1));
  EXPECT_TRUE(second.state().durable.maintenance);
  EXPECT_THAT(second.Ever<Publish>()->view.local.message, HasSubstr("its time is over; waits for"));
  second.Connect(1).Peer(Role::kMaster, 1, 1).Tell(ConntrackReported{Synchronised()});
  second.Pass(absl::Milliseconds(100)).Sync();
  EXPECT_FALSE(second.state().durable.maintenance);
}

TEST(MaintenanceTime, AClockThatIsSetMovesTheEndButNotTheLength) {
  for (const absl::Duration by : {absl::Hours(5), -absl::Hours(5)}) {
    Bench bench;
    GoesOut(bench, absl::Hours(2));
    bench.Pass(absl::Hours(1)).SetClock(by).Pass(absl::Milliseconds(100)).Sync();
    EXPECT_TRUE(bench.state().durable.maintenance) << by;
    const absl::Duration left = bench.state().on_disk.maintenance_until - bench.wall();
    EXPECT_LE(absl::AbsDuration(left - absl::Hours(1)), absl::Seconds(1)) << by;
    EXPECT_EQ(bench.Field("maintenance_end_moved", "cause"), "the clock was set");
    bench.Pass(absl::Hours(1)).Sync();
    EXPECT_FALSE(bench.state().durable.maintenance) << by;
  }
}

TEST(MaintenanceTime, AClockThatIsSlewedMovesNothing) {
  Bench bench;
  GoesOut(bench, absl::Hours(2));
  const absl::Time until = bench.state().durable.maintenance_until;
  for (int minute = 0; minute < 60; ++minute) {
    bench.SetClock(absl::Milliseconds(30)).Pass(absl::Minutes(1));
  }
  EXPECT_EQ(bench.state().durable.maintenance_until, until);
  EXPECT_FALSE(bench.Logged("maintenance_end_moved"));
}

TEST(MaintenanceTime, EnteredAgainTakesTheNewReasonAndLength) {
  Bench bench;
  GoesOut(bench, absl::Hours(2), "new disk");
  bench.Pass(absl::Hours(1)).Tell(Enter(absl::InfiniteDuration(), "two disks"));
  EXPECT_THAT(bench.Ever<Progressed>()->what, HasSubstr("node1 stays in maintenance until "));
  EXPECT_THAT(bench.Ever<Progressed>()->what, HasSubstr(": two disks"));
  bench.Sync().Tell(Enter(absl::Hours(3))).Sync();
  EXPECT_TRUE(bench.Ever<Finished>()->status.ok());
  EXPECT_EQ(bench.state().on_disk.maintenance_reason, "two disks");
  bench.Pass(absl::Minutes(179));
  EXPECT_TRUE(bench.state().durable.maintenance);
  bench.Pass(absl::Minutes(1)).Sync();
  EXPECT_FALSE(bench.state().durable.maintenance);
}

TEST(MaintenanceTime, EnteredAgainWithNothingNewLeavesItAsItIs) {
  Bench bench;
  GoesOut(bench, absl::Hours(2), "new disk");
  const Durable before = bench.state().durable;
  bench.Ask(OperationKind::kEnterMaintenance);
  EXPECT_THAT(bench.Ever<Progressed>()->what, HasSubstr("already in maintenance"));
  EXPECT_EQ(bench.state().durable, before);
}

TEST(MaintenanceTime, EnteredAgainWhenItsTimeIsOverItStaysOut) {
  Bench bench;
  GoesOut(bench, absl::Minutes(10), "new disk");
  bench.Tell(ConntrackReported{}).Pass(absl::Minutes(10));
  ASSERT_TRUE(bench.state().maintenance_time.over);
  bench.Ask(OperationKind::kEnterMaintenance).Sync();
  EXPECT_EQ(bench.Ever<Progressed>()->what, "node1 stays in maintenance: new disk");
  bench.Tell(ConntrackReported{Synchronised()}).Pass(absl::Hours(9)).Sync();
  EXPECT_TRUE(bench.state().durable.maintenance);
}

TEST(MaintenanceTime, IsRefusedWithoutAClock) {
  Bench bench;
  bench.BecomeReadyBackup().Tell(Enter(absl::Hours(1)));
  EXPECT_EQ(bench.Ever<Finished>()->status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(bench.state().durable.maintenance);
}

TEST(MaintenanceTime, StartEndsItBefore) {
  Bench bench;
  GoesOut(bench, absl::Hours(2));
  bench.Ask(OperationKind::kStartMaintenance).Sync().Vrrp(VrrpState::kBackup);
  bench.Pass(absl::Hours(3));
  EXPECT_FALSE(bench.Logged("maintenance_over"));
  EXPECT_EQ(bench.state().role, Role::kBackup);
}

}  // namespace
}  // namespace zcluster::core
