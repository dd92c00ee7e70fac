// SPDX-License-Identifier: Apache-2.0
#include "agent/core/orders.h"

#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

TEST(Orders, AtStartLiftALeftOverFaultBeforeKeepalivedStarts) {
  Bench bench;
  bench.Start();
  ASSERT_GE(bench.last().size(), 4u);
  ASSERT_TRUE(std::holds_alternative<SetFault>(bench.last()[0]));
  EXPECT_EQ(std::get<SetFault>(bench.last()[0]).reason, "");
  EXPECT_TRUE(std::holds_alternative<SetStanding>(bench.last()[1]));
  EXPECT_TRUE(std::holds_alternative<StartHeartbeat>(bench.last()[2]));
  EXPECT_TRUE(std::holds_alternative<Publish>(bench.last()[3]));
}

TEST(Orders, AtStartKeepTheFaultOfMaintenance) {
  Bench bench(TestConfig(), Durable{Term{4}, Term{4}, true});
  bench.Start();
  EXPECT_EQ(std::get<SetFault>(bench.last()[0]).reason, "maintenance");
}

TEST(Orders, StartKeepalivedOnce) {
  Bench bench;
  bench.BecomeReadyMaster().Pass(absl::Seconds(5));
  EXPECT_EQ(bench.Count<StartHeartbeat>(), 1);
}

TEST(Orders, AreNotRepeatedWhileNothingChanges) {
  Bench bench;
  bench.BecomeReadyMaster().Pass(absl::Seconds(2));
  const int faults = bench.Count<SetFault>();
  const int roles = bench.Count<AssumeRole>();
  const int standings = bench.Count<SetStanding>();
  const int views = bench.Count<Publish>();
  bench.Pass(absl::Seconds(10)).Vrrp(VrrpState::kMaster).Tell(ConntrackReported{Synchronised()});
  EXPECT_EQ(bench.Count<SetFault>(), faults);
  EXPECT_EQ(bench.Count<AssumeRole>(), roles);
  EXPECT_EQ(bench.Count<SetStanding>(), standings);
  EXPECT_EQ(bench.Count<Publish>(), views);
}

TEST(Orders, TellThePeerOnceASecondAndAtOnceWhenItConnects) {
  Bench bench;
  bench.Start().Vrrp(VrrpState::kBackup).Pass(absl::Seconds(3));
  EXPECT_EQ(bench.Count<SendState>(), 0);
  bench.Connect();
  EXPECT_EQ(bench.Count<SendState>(), 1);
  bench.Pass(absl::Seconds(10));
  EXPECT_EQ(bench.Count<SendState>(), 11);
  bench.Tell(PeerDisconnected{"silent"}).Pass(absl::Seconds(3));
  EXPECT_EQ(bench.Count<SendState>(), 11);
}

TEST(Orders, TellAChangeAtOnceButCountersWithTheBeat) {
  Bench bench;
  bench.BecomeReadyBackup().Pass(absl::Milliseconds(1100)).Sync();
  ConntrackState conntrack = Synchronised();
  conntrack.flows = 12;
  bench.Tell(ConntrackReported{conntrack});
  EXPECT_FALSE(bench.Last<SendState>());
  EXPECT_FALSE(bench.Last<Publish>());
  bench.Pass(absl::Seconds(1));
  EXPECT_EQ(bench.Last<SendState>()->state.conntrack.flows, 12u);
  EXPECT_EQ(bench.Last<Publish>()->view.conntrack.flows, 12u);
  conntrack.synchronised = false;
  bench.Tell(ConntrackReported{conntrack});
  ASSERT_TRUE(bench.Last<SendState>());
  EXPECT_FALSE(bench.Last<SendState>()->state.conntrack.synchronised);
}

TEST(Orders, LeaveOutBeatsThatWouldPileUpBeforeADiskThatHangs) {
  Bench bench;
  bench.Start().Vrrp(VrrpState::kBackup).Connect().Vrrp(VrrpState::kMaster);
  const int told = bench.Count<SendState>();
  bench.Pass(absl::Seconds(30));
  EXPECT_EQ(bench.Count<SendState>(), told);
  bench.Sync().Pass(absl::Seconds(2));
  EXPECT_EQ(bench.Count<SendState>(), told + 2);
}

TEST(Orders, RepeatTheRoleWhenOnlyTheTermChanged) {
  Bench bench;
  bench.BecomeReadyBackup();
  bench.Peer(Role::kMaster, 5, 5);
  ASSERT_TRUE(bench.Last<AssumeRole>());
  EXPECT_EQ(bench.Last<AssumeRole>()->role, Role::kBackup);
  EXPECT_EQ(bench.Last<AssumeRole>()->term, Term{5});
}

TEST(Orders, LetANodeInFaultReceive) {
  Bench bench;
  bench.BecomeReadyBackup().Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kBackup);
  bench.Vrrp(VrrpState::kDown);
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kBackup);
}

TEST(Orders, LetAMasterThatHandsOverSendUntilItsPeerServes) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(OperationKind::kSwitchover);
  bench.Tell(Flushed{OperationId{1}, Replicator::kConntrack}).Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kMaster);
  bench.Peer(Role::kMaster, 2, 2);
  EXPECT_EQ(bench.Last<AssumeRole>()->role, Role::kBackup);
  EXPECT_EQ(bench.Last<AssumeRole>()->term, Term{2});
}

TEST(Orders, AssumeNoRoleBeforeKeepalivedWasHeard) {
  Bench bench;
  bench.Start().Connect(7).Pass(absl::Seconds(3));
  EXPECT_EQ(bench.Count<AssumeRole>(), 0);
}

}  // namespace
}  // namespace zcluster::core
