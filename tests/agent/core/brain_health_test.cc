// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "agent/core/health.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using absl::Milliseconds;
using absl::Seconds;
using testing::HasSubstr;

HealthReported Front(bool passes, absl::Duration settles = Milliseconds(300)) {
  return {{{"interface front", passes, passes ? "up" : "no carrier", settles}}};
}

// Its front is dead, its peer's is not; it has waited long enough.
Bench& FrontDies(Bench& bench) {
  NodeState peer = *bench.state().peer.told;
  peer.checks = Front(true).checks;
  return bench.Tell(PeerReported{peer}).Tell(Front(false)).Pass(Milliseconds(500));
}

// The peer takes over, as a master that gives way by health awaits.
void PeerTakesOver(Bench& bench, uint64_t term) {
  bench.Tell(Flushed{OperationId{0}, Replicator::kConntrack});
  ASSERT_EQ(bench.Last<SetFault>()->reason, "switchover");
  bench.Vrrp(VrrpState::kFault).Peer(Role::kMaster, term, term).Vrrp(VrrpState::kBackup).Sync();
  ASSERT_EQ(bench.state().role, Role::kBackup);
}

TEST(BrainHealth, AMasterOfWhichMoreFailsGivesWay) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(Front(true));
  FrontDies(bench);
  EXPECT_EQ(bench.Field("check_fails", "evidence"), "no carrier");
  EXPECT_EQ(bench.Field("moves_by_health", "because"), "interface front: no carrier");
  EXPECT_EQ(bench.Field("operation_started", "reason"),
            "move by health: interface front: no carrier");
  PeerTakesOver(bench, 2);
  EXPECT_EQ(bench.Field("operation_finished", "outcome"), "OK");
  EXPECT_FALSE(bench.Ever<Finished>()) << "nobody asked";
}

TEST(BrainHealth, AFaultThatThePeerSeesSoonAfterMovesNothing) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(Front(false, Seconds(2))).Pass(Seconds(1));
  NodeState peer = PeerAs(Role::kBackup, 0, 1);
  peer.checks = Front(false).checks;
  bench.Tell(PeerReported{peer}).Pass(Seconds(30));
  EXPECT_FALSE(bench.Logged("moves_by_health"));
  EXPECT_EQ(bench.Ever<Publish>()->view.local.status, Status::kRed);
  EXPECT_THAT(bench.Ever<Publish>()->view.local.message, HasSubstr("interface front: no carrier"));
}

// An agent that has just started has no result yet, and may soon see the same.
TEST(BrainHealth, APeerThatHasNotLookedYetIsWaitedFor) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(Front(false)).Pass(Seconds(30));
  EXPECT_FALSE(bench.Logged("moves_by_health"));
  NodeState peer = PeerAs(Role::kBackup, 0, 1);
  peer.checks = Front(true).checks;
  bench.Tell(PeerReported{peer}).Pass(Seconds(1));
  EXPECT_TRUE(bench.Logged("moves_by_health"));
}

TEST(BrainHealth, WhatThePeerLacksYetIsNoReasonToStay) {
  Bench bench;
  bench.BecomeReadyMaster();
  ConntrackState behind;
  behind.problem = "a snapshot is under way";
  bench.Tell(ConntrackReported{behind});
  FrontDies(bench);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
}

TEST(BrainHealth, OneThatDoesNotSucceedIsTriedAgainAfterAPause) {
  Bench bench;
  bench.BecomeReadyMaster();
  FrontDies(bench);
  bench.Tell(Flushed{OperationId{0}, Replicator::kConntrack}).Pass(Seconds(25));
  ASSERT_THAT(bench.Field("operation_finished", "outcome"), HasSubstr("DEADLINE_EXCEEDED"));
  EXPECT_EQ(bench.state().role, Role::kMaster);
  const int flushes = bench.Count<Flush>();
  bench.Pass(Seconds(5));
  EXPECT_EQ(bench.Count<Flush>(), flushes);
  bench.Pass(Seconds(30));
  EXPECT_EQ(bench.Count<Flush>(), flushes + 1);
}

// Now the front of this node fails, now that of its peer.
TEST(BrainHealth, FlappingEndsInAHoldAndSaysSo) {
  Bench bench;
  bench.BecomeReadyMaster();
  uint64_t term = 1;
  for (size_t moves = 0; moves < kMostMoves; ++moves) {
    if (moves % 2 == 0) {
      FrontDies(bench);
      PeerTakesOver(bench, ++term);
      bench.Tell(Front(true));
    } else {
      NodeState peer = PeerAs(Role::kFault, term, term);
      peer.checks = Front(false).checks;
      bench.Tell(PeerReported{peer}).Vrrp(VrrpState::kMaster).Sync();
      ASSERT_EQ(bench.state().role, Role::kMaster);
      bench.Peer(Role::kBackup, term, term + 1).Pass(Seconds(1));
      ++term;
    }
  }
  // The third was this node's; now it is master again, and ill once more.
  NodeState peer = PeerAs(Role::kFault, term, term);
  bench.Tell(PeerReported{peer}).Vrrp(VrrpState::kMaster).Sync();
  bench.Peer(Role::kBackup, term, term + 1).Pass(Seconds(1));
  ++term;
  const int flushes = bench.Count<Flush>();
  FrontDies(bench);
  EXPECT_EQ(bench.Count<Flush>(), flushes);
  EXPECT_THAT(bench.Field("move_held", "cause"), HasSubstr("3 times within 10m"));
  EXPECT_THAT(bench.Ever<Publish>()->view.local.message,
              HasSubstr("stays, though node2 could serve better: it has moved too often"));
  bench.Pass(kFlapWindow);
  EXPECT_GT(bench.Count<Flush>(), flushes);
}

TEST(BrainHealth, AFrozenPairStaysAndMovesWhenItMayAgain) {
  Bench bench;
  bench.BecomeReadyMaster();
  OperationAsked freeze{OperationId{7}, OperationKind::kFreeze};
  freeze.reason = "switch upgrade";
  freeze.by = "anna";
  bench.Tell(freeze);
  EXPECT_TRUE(bench.Last<Persist>()->durable.freeze.active);
  EXPECT_EQ(bench.Field("frozen", "by"), "anna");
  ASSERT_TRUE(bench.Last<Finished>());
  EXPECT_TRUE(bench.Last<Finished>()->status.ok());
  bench.Sync();
  FrontDies(bench);
  EXPECT_FALSE(bench.Logged("moves_by_health"));
  EXPECT_THAT(bench.Ever<Publish>()->view.local.message, HasSubstr("; frozen: switch upgrade"));
  EXPECT_EQ(bench.Ever<SendState>()->state.freeze.version, 1u);
  bench.Tell(OperationAsked{OperationId{8}, OperationKind::kUnfreeze}).Sync().Pass(Seconds(1));
  EXPECT_TRUE(bench.Logged("moves_by_health"));
}

// A node of which more fails than of this one.
NodeState IllPeer() {
  NodeState peer = PeerAs(Role::kBackup, 0, 1);
  peer.checks = {{"gateway 10.10.0.254", false, "no answer"}};
  return peer;
}

TEST(BrainHealth, ASwitchoverByForceToAnIllNodeStaysThere) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(PeerReported{IllPeer()});
  OperationAsked asked{OperationId{7}, OperationKind::kSwitchover, /*force=*/true};
  asked.by = "anna";
  bench.Tell(asked).Tell(Flushed{OperationId{7}});
  ASSERT_TRUE(bench.Logged("gives_way"));
  EXPECT_EQ(bench.state().durable.freeze,
            (Freeze{1, true, "switchover by force to node2, of which more fails"}));
  EXPECT_EQ(bench.Field("frozen", "by"), "anna");
}

TEST(BrainHealth, OneThatDoesNotSucceedLeavesThePairAsItWas) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(PeerReported{IllPeer()});
  bench.Ask(OperationKind::kSwitchover, /*force=*/true, 7).Tell(Flushed{OperationId{7}});
  ASSERT_TRUE(bench.state().durable.freeze.active);
  bench.Vrrp(VrrpState::kFault).Pass(Seconds(60)).Sync();
  bench.Vrrp(VrrpState::kBackup).Vrrp(VrrpState::kMaster).Pass(Seconds(1));
  ASSERT_TRUE(bench.Ever<Finished>());
  EXPECT_FALSE(bench.Ever<Finished>()->status.ok());
  EXPECT_EQ(bench.state().durable.freeze, (Freeze{2, false, ""}));
}

TEST(BrainHealth, ASwitchoverByForceToAWellNodeFreezesNothing) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(OperationKind::kSwitchover, /*force=*/true, 7);
  bench.Tell(Flushed{OperationId{7}});
  ASSERT_TRUE(bench.Logged("gives_way"));
  EXPECT_FALSE(bench.state().durable.freeze.active);
}

TEST(BrainHealth, AFreezeIsLearntFromThePeerAndKept) {
  Bench bench;
  bench.BecomeReadyBackup();
  NodeState peer = PeerAs(Role::kMaster, 1, 1);
  peer.freeze = {3, true, "why"};
  bench.Tell(PeerReported{peer});
  EXPECT_EQ(bench.Last<Persist>()->durable.freeze, peer.freeze);
  EXPECT_EQ(bench.Field("frozen", "by"), "node2");
  bench.Sync();
  // An order here is newer than what the peer knows.
  bench.Tell(OperationAsked{OperationId{8}, OperationKind::kUnfreeze});
  EXPECT_EQ(bench.Last<Persist>()->durable.freeze, (Freeze{4, false, ""}));
  bench.Tell(PeerReported{peer}).Sync();
  EXPECT_FALSE(bench.state().durable.freeze.active);
}

TEST(BrainHealth, AFreezeThatIsInForceAlreadyIsNoNewOne) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(OperationAsked{OperationId{7}, OperationKind::kUnfreeze});
  EXPECT_THAT(bench.Last<Progressed>()->what, HasSubstr("already"));
  EXPECT_FALSE(bench.Last<Persist>());
  EXPECT_FALSE(bench.Logged("unfrozen"));
}

}  // namespace
}  // namespace zcluster::core
