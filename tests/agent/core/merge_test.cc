// SPDX-License-Identifier: Apache-2.0
#include "agent/core/merge.h"

#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

ConntrackState NotSynchronised() {
  ConntrackState conntrack;
  conntrack.problem = "the peer takes no flows";
  return conntrack;
}

TEST(Merge, TheMasterThatLosesGivesItsFlowsAwayBeforeItYields) {
  Bench bench;
  bench.BecomeReadyMaster().Peer(Role::kMaster, 2, 2);
  EXPECT_FALSE(bench.Logged("yielded"));
  EXPECT_EQ(*bench.Last<AssumeRole>(), (AssumeRole{Role::kMaster, Term{1}, true}));
  bench.Pass(kMergeBeforeYielding / 2);
  EXPECT_FALSE(bench.Logged("yielded"));
  bench.Tell(Merged{});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "yields to node2");
  // What still changes goes there until VRRP has let go.
  EXPECT_TRUE(bench.Ever<AssumeRole>()->merge);
  bench.Vrrp(VrrpState::kFault);
  EXPECT_EQ(*bench.Ever<AssumeRole>(), (AssumeRole{Role::kBackup, Term{2}, false}));
}

TEST(Merge, YieldsWithoutItAfterAWhileAndGoesOnMerging) {
  Bench bench;
  bench.BecomeReadyMaster().Peer(Role::kMaster, 2, 2).Pass(kMergeBeforeYielding);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "yields to node2");
  bench.Vrrp(VrrpState::kFault).Vrrp(VrrpState::kBackup);
  EXPECT_EQ(*bench.Ever<AssumeRole>(), (AssumeRole{Role::kBackup, Term{1}, true}));
  bench.Peer(Role::kMaster, 2, 2).Pass(kMergeAtMost - kMergeBeforeYielding);
  EXPECT_EQ(*bench.Ever<AssumeRole>(), (AssumeRole{Role::kBackup, Term{2}, false}));
  EXPECT_TRUE(bench.Logged("flows_not_merged"));
}

// A split heals, and keepalived hears the other before the link is back.
TEST(Merge, AMasterThatVrrpDemotesGivesAwayWhatThePeerLacks) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(PeerDisconnected{"silent"});
  bench.Tell(ConntrackReported{NotSynchronised()}).Vrrp(VrrpState::kBackup);
  EXPECT_EQ(*bench.Last<AssumeRole>(), (AssumeRole{Role::kBackup, Term{1}, true}));
  bench.Connect(2).Peer(Role::kMaster, 2, 2);
  EXPECT_TRUE(bench.Ever<AssumeRole>()->merge);
  bench.Tell(Merged{});
  EXPECT_EQ(*bench.Last<AssumeRole>(), (AssumeRole{Role::kBackup, Term{2}, false}));
  EXPECT_TRUE(bench.Logged("flows_merged"));
}

// A cut that was short: the link does not know of it, and what was made meanwhile is under way
// still.
TEST(Merge, SoDoesOneThatBelievesThePeerToHaveAll) {
  Bench bench;
  bench.BecomeReadyMaster().Vrrp(VrrpState::kBackup);
  EXPECT_EQ(*bench.Last<AssumeRole>(), (AssumeRole{Role::kBackup, Term{1}, true}));
}

TEST(Merge, AKeepalivedThatDiesOwesNothingThatThePeerHas) {
  Bench bench;
  bench.BecomeReadyMaster().Vrrp(VrrpState::kDown);
  EXPECT_FALSE(bench.Logged("merges_flows"));
  EXPECT_FALSE(bench.Ever<AssumeRole>()->merge);
}

TEST(Merge, AHandOverDoesWithoutIt) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(ConntrackReported{NotSynchronised()});
  bench.Ask(OperationKind::kSwitchover, /*force=*/true);
  bench.Vrrp(VrrpState::kFault);
  EXPECT_FALSE(bench.Logged("merges_flows"));
}

TEST(Merge, WithoutReplicationThereIsNothingToGive) {
  Config config = TestConfig();
  config.replicate_conntrack = false;
  Bench bench(config);
  bench.BecomeReadyMaster().Peer(Role::kMaster, 2, 2);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "yields to node2");
  EXPECT_FALSE(bench.Logged("merges_flows"));
}

TEST(Merge, APeerThatGivesWayItselfEndsIt) {
  Bench bench;
  bench.BecomeReadyMaster().Peer(Role::kMaster, 2, 2);
  ASSERT_TRUE(bench.Last<AssumeRole>()->merge);
  bench.Peer(Role::kBackup, 2, 2);
  EXPECT_FALSE(bench.Ever<AssumeRole>()->merge);
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kMaster);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
}

}  // namespace
}  // namespace zcluster::core
