// SPDX-License-Identifier: Apache-2.0
#include "agent/core/boot_gate.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1);

// This node has just booted and is connected to a peer that serves.
State JustBooted() {
  State state;
  state.config = TestConfig();
  state.role = Role::kFault;
  state.vrrp = VrrpState::kFault;
  state.boot_gate = {.closed = true, .opens_at = kNow + absl::Seconds(1)};
  state.conntrack = Synchronised();
  state.durable = {.highest_term = Term{3}, .own_term = Term{3}};
  state.peer.connected = true;
  state.peer.told = PeerAs(Role::kMaster, 3, 3);
  return state;
}

struct Case {
  const char* name;
  std::function<void(State&)> change;
  bool may;
};

class Leaves : public testing::TestWithParam<Case> {};

TEST_P(Leaves, WhenThereIsNothingToWaitFor) {
  State state = JustBooted();
  GetParam().change(state);
  EXPECT_EQ(MayLeaveBootGate(state, kNow), GetParam().may);
}

INSTANTIATE_TEST_SUITE_P(
    BootGate, Leaves,
    testing::Values(
        Case{"WhenItHoldsWhatTheMasterHolds", [](State&) {}, true},
        Case{"NotWhileFlowsAreMissing", [](State& s) { s.conntrack = {}; }, false},
        Case{"NotBeforeThePeerSaidHowItIs", [](State& s) { s.peer.told.reset(); }, false},
        Case{"NotWithoutTheLink", [](State& s) { s.peer.connected = false; }, false},
        Case{"AfterItsBoundWhateverIsMissing",
             [](State& s) {
               s.peer.connected = false;
               s.boot_gate.opens_at = kNow;
             },
             true},
        Case{"WhenThePeerWillNotServe", [](State& s) { s.peer.told->role = Role::kMaintenance; },
             true},
        Case{"WhenThePeerIsPastItsOwn",
             [](State& s) {
               s.peer.told->role = Role::kBackup;
               s.conntrack = {};
             },
             true},
        Case{"FirstByNameWhenBothBoot", [](State& s) { s.peer.told->role = Role::kFault; }, true},
        Case{"SecondByNameWhenBothBoot",
             [](State& s) {
               s.peer.told->role = Role::kFault;
               s.config.node_name = "node3";
             },
             false},
        Case{"FirstIfItServedLastWhenBothBoot",
             [](State& s) {
               s.peer.told->role = Role::kFault;
               s.durable.own_term = Term{4};
               s.config.node_name = "node3";
               s.config.preferred = "node2";
             },
             true},
        Case{"SecondIfThePeerServedLastWhenBothBoot",
             [](State& s) {
               s.peer.told->role = Role::kFault;
               s.durable.own_term = Term{2};
               s.config.preferred = s.config.node_name;
             },
             false},
        Case{"FirstIfPreferredWhenBothBoot",
             [](State& s) {
               s.peer.told->role = Role::kFault;
               s.config.node_name = "node3";
               s.config.preferred = "node3";
             },
             true}),
    [](const auto& tested) { return tested.param.name; });

TEST(BootGate, StandsAsideUntilItHoldsWhatTheMasterHolds) {
  Bench bench;
  bench.Start().Tell(VrrpStarting{}).Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "boot");
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kBackup);  // it receives
  bench.Connect(3).Peer(Role::kMaster, 3, 3).Sync().Pass(absl::Seconds(3));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "boot");
  EXPECT_THAT(bench.Ever<Publish>()->view.local.message, testing::HasSubstr("has just started"));
  bench.Tell(ConntrackReported{Synchronised()});
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
}

TEST(BootGate, LetsTheOneThatServedLastGoFirstAndFollows) {
  Bench bench(TestConfig(), Durable{Term{7}, Term{6}, false});
  bench.Start().Tell(VrrpStarting{}).Vrrp(VrrpState::kFault).Connect(7);
  bench.Peer(Role::kFault, 7, 7);
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "boot");
  EXPECT_THAT(bench.Ever<Publish>()->view.local.message, testing::HasSubstr("lets node2 go first"));
  bench.Peer(Role::kBackup, 7, 7);
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
}

TEST(BootGate, IsNoLongerThanItsBound) {
  Bench bench;
  bench.Start().Tell(VrrpStarting{}).Vrrp(VrrpState::kFault).Pass(kBootGate - absl::Seconds(1));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "boot");
  bench.Pass(absl::Seconds(1));
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
}

TEST(BootGate, ThatAMachineBeganIsGoneOnWith) {
  Bench bench;
  bench.Start().Tell(VrrpStarting{absl::Seconds(6)}).Vrrp(VrrpState::kFault).Pass(absl::Seconds(5));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "boot");
  bench.Pass(absl::Seconds(1));
  EXPECT_EQ(bench.Last<SetFault>()->reason, "");
}

TEST(BootGate, ThatEndsByItsBoundIsToldWithTheAgeOfWhatIsHeld) {
  Durable durable{Term{7}, Term{6}, false};
  durable.synchronised = kNow - absl::Minutes(3);
  Bench bench(TestConfig(), durable);
  bench.Start().Tell(VrrpStarting{}).Vrrp(VrrpState::kFault).Pass(kBootGate);
  bench.Vrrp(VrrpState::kBackup).Vrrp(VrrpState::kMaster).Sync();
  EXPECT_EQ(bench.Ever<Publish>()->view.local.status, Status::kRed);
  EXPECT_EQ(bench.Ever<Publish>()->view.local.message,
            "master since term 8; serves with what it has: it was last synchronised at 1970-01-01 "
            "00:57:00 UTC, 3m15s before it took part");
  // Until somebody who stands by has what it has.
  bench.Connect().Peer(Role::kBackup, 7, 8).Tell(ConntrackReported{Synchronised()});
  EXPECT_EQ(bench.Ever<Publish>()->view.local.status, Status::kGreen);
}

TEST(BootGate, SaysWhatIsHeldByWhoeverTookPartAlone) {
  Durable durable{Term{7}, Term{6}, false};
  EXPECT_EQ(AgeOfWhatIsHeld(durable, kNow), "it never was synchronised");
  durable.synchronised = kNow + absl::Seconds(1);
  EXPECT_EQ(AgeOfWhatIsHeld(durable, kNow), "it was last synchronised at 1970-01-01 01:00:01 UTC");
  durable.own_term = Term{7};
  EXPECT_EQ(AgeOfWhatIsHeld(durable, kNow), "it was master last, in term 7, as far as it knows");
}

TEST(BootGate, NotesTheTimeWhileItHoldsAllOnceAMinute) {
  Bench bench;
  bench.BecomeReadyBackup().Pass(absl::Seconds(1)).Sync();
  const absl::Time first = bench.state().on_disk.synchronised;
  EXPECT_GT(first, absl::InfinitePast());
  bench.Pass(absl::Seconds(58)).Sync();
  EXPECT_EQ(bench.state().on_disk.synchronised, first);
  bench.Pass(absl::Seconds(2)).Sync();
  EXPECT_GE(bench.state().on_disk.synchronised, first + absl::Minutes(1));
  const absl::Time last = bench.state().on_disk.synchronised;
  bench.Tell(ConntrackReported{}).Pass(absl::Minutes(5)).Sync();
  EXPECT_EQ(bench.state().on_disk.synchronised, last);
}

TEST(BootGate, EndsNoMaintenance) {
  Bench bench(TestConfig(), Durable{Term{1}, Term{1}, true});
  bench.Start().Tell(VrrpStarting{}).Vrrp(VrrpState::kFault).Pass(absl::Minutes(1));
  EXPECT_EQ(bench.Ever<SetFault>()->reason, "maintenance");
  EXPECT_EQ(bench.Ever<AssumeRole>()->role, Role::kMaintenance);
}

}  // namespace
}  // namespace zcluster::core
