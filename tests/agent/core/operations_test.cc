// SPDX-License-Identifier: Apache-2.0
#include "agent/core/operations.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kSwitchover = OperationKind::kSwitchover;
constexpr auto kEnter = OperationKind::kEnterMaintenance;
constexpr auto kStart = OperationKind::kStartMaintenance;

std::string Ended(const Bench& bench) {
  const auto finished = bench.Ever<Finished>();
  return finished ? finished->status.ToString() : "not ended";
}

std::vector<std::string> Steps(const Bench& bench) {
  std::vector<std::string> steps;
  for (const Action& action : bench.all()) {
    if (const auto* step = std::get_if<Progressed>(&action)) steps.push_back(step->what);
  }
  return steps;
}

Bench& Flush(Bench& bench, uint64_t id = 1) {
  return bench.Tell(Flushed{OperationId{id}, Replicator::kConntrack});
}

TEST(Switchover, GoesFromFlushToFaultToTheNewMasterAndStandsBy) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover);
  EXPECT_EQ(bench.Last<core::Flush>()->replicator, Replicator::kConntrack);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
  Flush(bench);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
  bench.Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "switchover");
  bench.Peer(Role::kMaster, 2, 2);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
  EXPECT_EQ(Ended(bench), "not ended");
  bench.Vrrp(VrrpState::kBackup);
  EXPECT_EQ(Ended(bench), "OK");
  EXPECT_THAT(Steps(bench), ElementsAre("node2 is ready", "flows acknowledged by node2",
                                        "node2 holds all, and is ready still",
                                        "node2 is master (term 2)", "node1 stands by"));
}

TEST(Switchover, WaitsForFlowsAndFiles) {
  Config config = TestConfig();
  config.has_roots = true;
  Bench bench(config);
  bench.BecomeReadyMaster().Tell(RootsReported{{EqualRoot()}}).Ask(kSwitchover);
  Flush(bench);
  EXPECT_NE(bench.Ever<SetFault>()->reason, "switchover");
  bench.Tell(Flushed{OperationId{1}, Replicator::kConfig});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
}

TEST(Switchover, WaitsForCommandsAndReleasesThemOnlyWhenThePeerServes) {
  Config config = TestConfig();
  config.has_commands = true;
  Bench bench(config);
  bench.BecomeReadyMaster().Ask(kSwitchover);
  Flush(bench);
  EXPECT_NE(bench.Ever<SetFault>()->reason, "switchover");
  bench.Tell(Flushed{OperationId{1}, Replicator::kCommands});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
  bench.Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Count<ReleaseCommands>(), 0);
  bench.Peer(Role::kMaster, 2, 2);
  EXPECT_EQ(bench.Count<ReleaseCommands>(), 1);
  bench.Vrrp(VrrpState::kBackup).Pass(absl::Seconds(5));
  EXPECT_EQ(bench.Count<ReleaseCommands>(), 1);
}

TEST(Switchover, ThatIsUndoneReleasesTheCommandsToo) {
  Config config = TestConfig();
  config.has_commands = true;
  Bench bench(config);
  bench.BecomeReadyMaster().Ask(kSwitchover);
  Flush(bench).Pass(kFlushBound);
  EXPECT_THAT(Ended(bench), HasSubstr("has not acknowledged all commands within 10s"));
  EXPECT_EQ(bench.Count<ReleaseCommands>(), 1);
  EXPECT_EQ(bench.state().role, Role::kMaster);
}

// A peer that has fallen ill while it was flushed to.
Bench& FallIll(Bench& bench) {
  NodeState ill = PeerAs(Role::kBackup, 0, 1);
  ill.not_ready = {"interface front on node2: carrier is lost"};
  return bench.Tell(PeerReported{ill});
}

TEST(Switchover, GoesOnOnlyWhenThePeerIsReadyAgain) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover);
  Flush(FallIll(bench));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
  bench.Peer(Role::kBackup, 0, 1);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
}

TEST(Switchover, EndsUndoneWhenThePeerIsReadyNoMore) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover);
  Flush(FallIll(bench)).Pass(kFlushBound);
  EXPECT_THAT(Ended(bench), HasSubstr("ABORTED: node2 is no longer ready: interface front on "
                                      "node2: carrier is lost; nothing was done"));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
}

TEST(Switchover, ByForceDoesNotAskWhetherThePeerIsReadyStill) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover, /*force=*/true);
  Flush(FallIll(bench));
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
}

TEST(Switchover, NeedsNoFlushWhereNothingIsReplicated) {
  Config config = TestConfig();
  config.replicate_conntrack = false;
  Bench bench(config);
  bench.BecomeReadyMaster().Ask(kSwitchover);
  EXPECT_EQ(bench.Count<core::Flush>(), 0);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
}

TEST(Switchover, IsRefusedWithReasonsWhenThePeerIsNotReady) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(PeerDisconnected{"no answer"}).Ask(kSwitchover);
  EXPECT_THAT(
      Ended(bench),
      HasSubstr("FAILED_PRECONDITION: node2 is not ready: node2 is unreachable: no answer"));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
}

TEST(Switchover, ByForceDoesNotWaitForFlowsThatAreNotSynchronised) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(ConntrackReported{}).Ask(kSwitchover, /*force=*/true);
  EXPECT_EQ(bench.Count<core::Flush>(), 0);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "switchover");
}

TEST(Switchover, EndsUndoneWhenTheFlushIsNotAnswered) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover).Pass(kFlushBound);
  EXPECT_THAT(Ended(bench),
              HasSubstr("DEADLINE_EXCEEDED: node2 has not acknowledged all flows within 10s"));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
}

TEST(Switchover, EndsUndoneWhenTheLinkIsLostDuringTheFlush) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover).Tell(PeerDisconnected{"reset"});
  EXPECT_THAT(Ended(bench), HasSubstr("ABORTED: the link to node2 was lost: reset"));
}

TEST(Switchover, EndsUndoneWhenTheNodeIsNoLongerMaster) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover).Vrrp(VrrpState::kBackup);
  EXPECT_THAT(Ended(bench), HasSubstr("ABORTED: node1 is no longer master, but BACKUP"));
}

TEST(Switchover, LiftsTheFaultWhenNobodyTakesOver) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover);
  Flush(bench).Vrrp(VrrpState::kFault);
  const absl::Duration bound = 2 * TestConfig().MasterDownInterval() + kTakeoverAllowance;
  bench.Pass(bound - absl::Milliseconds(10));
  EXPECT_EQ(Ended(bench), "not ended");
  bench.Pass(absl::Milliseconds(10));
  EXPECT_THAT(
      Ended(bench),
      HasSubstr("DEADLINE_EXCEEDED: undone: node2 was not seen to take over in time: keepalived "
                "on node1 says FAULT, node2 says BACKUP"));
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
}

// Nobody tells how it ended, so VRRP does.
Bench& LoseThePeerWhileHandingOver(Bench& bench, bool force) {
  bench.BecomeReadyMaster().Ask(kSwitchover, force);
  Flush(bench).Vrrp(VrrpState::kFault).Tell(PeerDisconnected{"silent for 3 s"});
  bench.Pass(TestConfig().MasterDownInterval());
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
  EXPECT_EQ(Ended(bench), "not ended");
  return bench;
}

TEST(Switchover, LiftsTheFaultSoonWhenThePeerIsNoLongerSeenAndServesAgainIfNobodyElseDoes) {
  for (const bool force : {false, true}) {
    Bench bench;
    LoseThePeerWhileHandingOver(bench, force).Vrrp(VrrpState::kBackup);
    bench.Pass(TestConfig().MasterDownInterval()).Vrrp(VrrpState::kMaster);
    EXPECT_THAT(Ended(bench), HasSubstr("ABORTED: node1 became master again"));
  }
}

TEST(Switchover, SucceedsUnseenWhereAMasterIsHeard) {
  for (const bool force : {false, true}) {
    Bench bench;
    LoseThePeerWhileHandingOver(bench, force).Vrrp(VrrpState::kBackup);
    bench.Pass(TestConfig().MasterDownInterval());
    EXPECT_EQ(Ended(bench), "not ended");
    bench.Pass(TestConfig().MasterDownInterval());
    EXPECT_EQ(Ended(bench), "OK");
    EXPECT_EQ(Steps(bench).back(), "node1 stands by, and hears a master");
  }
}

TEST(Switchover, LiftsTheFaultAtOnceWhenThePeerSaysThatItCannot) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover);
  Flush(bench).Vrrp(VrrpState::kFault).Peer(Role::kMaintenance, 0, 1);
  EXPECT_THAT(Ended(bench),
              HasSubstr("ABORTED: undone: node2 cannot take over: it is MAINTENANCE now"));
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
}

TEST(Switchover, DoesNotTakeAnOldMastershipOfThePeerForTheTakeover) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover);
  Flush(bench).Vrrp(VrrpState::kFault).Peer(Role::kMaster, 1, 1);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "switchover");
}

TEST(Operations, RunOneAtATime) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kSwitchover, false, 1).Ask(kEnter, false, 2);
  EXPECT_EQ(bench.Last<Finished>()->operation, OperationId{2});
  EXPECT_THAT(Ended(bench), HasSubstr("FAILED_PRECONDITION: a switchover is under way on node1"));
  Flush(bench, 2);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "");
}

TEST(EnterMaintenance, OfAMasterHandsOverFirstAndEndsOnDisk) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kEnter);
  Flush(bench);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "maintenance");
  bench.Vrrp(VrrpState::kFault);
  EXPECT_FALSE(bench.state().durable.maintenance);
  bench.Peer(Role::kMaster, 2, 2);
  EXPECT_TRUE(bench.Last<Persist>()->durable.maintenance);
  EXPECT_EQ(bench.Last<AssumeRole>()->role, Role::kMaintenance);
  EXPECT_EQ(Ended(bench), "not ended");
  bench.Sync();
  EXPECT_EQ(Ended(bench), "OK");
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "maintenance");
}

TEST(EnterMaintenance, OfABackupNeedsNoHandOver) {
  Bench bench;
  bench.BecomeReadyBackup().Ask(kEnter);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "maintenance");
  EXPECT_TRUE(bench.Last<Persist>()->durable.maintenance);
  bench.Vrrp(VrrpState::kFault);
  EXPECT_EQ(Ended(bench), "not ended");
  bench.Sync();
  EXPECT_EQ(Ended(bench), "OK");
  EXPECT_THAT(Steps(bench), ElementsAre("node1 is in maintenance"));
}

TEST(EnterMaintenance, ByForceOfTheLastNodeWaitsForNobody) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(ConntrackReported{}).Tell(PeerDisconnected{"no answer"});
  bench.Ask(kEnter, /*force=*/true);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "maintenance");
  bench.Vrrp(VrrpState::kFault).Sync();
  EXPECT_EQ(Ended(bench), "OK");
}

TEST(EnterMaintenance, ByForceGoesOnWhenThePeerDoesNotTakeOver) {
  Bench bench;
  bench.BecomeReadyMaster().Ask(kEnter, /*force=*/true);
  Flush(bench).Vrrp(VrrpState::kFault).Pass(absl::Seconds(20)).Sync();
  EXPECT_EQ(Ended(bench), "OK");
  EXPECT_TRUE(bench.state().on_disk.maintenance);
}

TEST(EnterMaintenance, TwiceIsNoError) {
  Bench bench(TestConfig(), Durable{Term{1}, Term{1}, true});
  bench.Start().Vrrp(VrrpState::kFault).Ask(kEnter);
  EXPECT_EQ(Ended(bench), "OK");
  EXPECT_THAT(Steps(bench), ElementsAre("node1 is already in maintenance"));
}

TEST(EnterMaintenance, SaysSoWhenKeepalivedDoesNotFollow) {
  Bench bench;
  bench.BecomeReadyBackup().Ask(kEnter).Sync();
  bench.Pass(kVrrpBound);
  EXPECT_THAT(Ended(bench), HasSubstr("DEADLINE_EXCEEDED: node1 is in maintenance from now on, but "
                                      "keepalived on node1 says BACKUP"));
}

Bench InMaintenance() {
  Bench bench(TestConfig(), Durable{Term{1}, Term{1}, true});
  bench.Start().Vrrp(VrrpState::kFault).Connect(2).Peer(Role::kMaster, 2, 2).Sync();
  return bench;
}

TEST(StartMaintenance, WaitsUntilNothingIsMissing) {
  Bench bench = InMaintenance();
  bench.Ask(kStart).Pass(absl::Seconds(30));
  EXPECT_EQ(Ended(bench), "not ended");
  EXPECT_TRUE(bench.state().durable.maintenance);
  bench.Tell(ConntrackReported{Synchronised()});
  EXPECT_FALSE(bench.Last<Persist>()->durable.maintenance);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "maintenance");  // until the disk has it
  bench.Sync();
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
  EXPECT_EQ(Ended(bench), "not ended");
  bench.Vrrp(VrrpState::kBackup);
  EXPECT_EQ(Ended(bench), "OK");
  EXPECT_THAT(Steps(bench),
              ElementsAre("synchronised with node2", "maintenance has ended", "node1 stands by"));
}

TEST(StartMaintenance, KeepsReplicationGoingUntilTheNodeStandsBy) {
  Bench bench = InMaintenance();
  bench.Tell(ConntrackReported{Synchronised()}).Ask(kStart).Sync().Vrrp(VrrpState::kBackup);
  for (const Action& action : bench.all()) {
    const auto* assume = std::get_if<AssumeRole>(&action);
    EXPECT_TRUE(assume == nullptr || assume->role != Role::kFault);
  }
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kBackup);
}

TEST(StartMaintenance, GivesUpAfterAMinuteAndSaysWhatIsMissing) {
  Bench bench = InMaintenance();
  bench.Ask(kStart).Pass(kSynchroniseBound);
  EXPECT_THAT(
      Ended(bench),
      HasSubstr(
          "DEADLINE_EXCEEDED: node1 stays in maintenance: not synchronised within 1m: the flows"));
  EXPECT_TRUE(bench.state().durable.maintenance);
}

TEST(StartMaintenance, ByForceWaitsForNothing) {
  Bench bench = InMaintenance();
  bench.Ask(kStart, /*force=*/true).Sync().Vrrp(VrrpState::kBackup);
  EXPECT_EQ(Ended(bench), "OK");
}

TEST(StartMaintenance, WaitsForNobodyWhereThereIsNoMaster) {
  Bench bench(TestConfig(), Durable{Term{1}, Term{1}, true});
  bench.Start().Vrrp(VrrpState::kFault).Ask(kStart).Sync().Vrrp(VrrpState::kBackup);
  EXPECT_EQ(Ended(bench), "OK");
}

TEST(StartMaintenance, OutsideOfMaintenanceIsNoError) {
  Bench bench;
  bench.BecomeReadyBackup().Ask(kStart);
  EXPECT_EQ(Ended(bench), "OK");
  EXPECT_THAT(Steps(bench), ElementsAre("node1 is not in maintenance"));
}

TEST(StartMaintenance, SaysSoWhenKeepalivedStaysInFault) {
  Bench bench = InMaintenance();
  bench.Tell(ConntrackReported{Synchronised()}).Ask(kStart).Sync().Pass(kVrrpBound);
  EXPECT_THAT(
      Ended(bench),
      HasSubstr(
          "DEADLINE_EXCEEDED: node1 is out of maintenance, but keepalived on node1 says FAULT"));
  EXPECT_FALSE(bench.state().on_disk.maintenance);
}

}  // namespace
}  // namespace zcluster::core
