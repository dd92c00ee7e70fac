// SPDX-License-Identifier: Apache-2.0
#include "agent/core/status.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using testing::HasSubstr;

State ReadyMaster() {
  State state;
  state.config = TestConfig();
  state.role = Role::kMaster;
  state.vrrp = VrrpState::kMaster;
  state.durable.own_term = state.durable.highest_term = Term{8};
  state.conntrack = Synchronised();
  state.peer.connected = true;
  state.peer.told = PeerAs(Role::kBackup, 7, 8);
  return state;
}

State ReadyBackup() {
  State state = ReadyMaster();
  state.role = Role::kBackup;
  state.vrrp = VrrpState::kBackup;
  state.peer.told = PeerAs(Role::kMaster, 8, 8);
  return state;
}

State InFault(VrrpState vrrp) {
  State state = ReadyBackup();
  state.role = Role::kFault;
  state.vrrp = vrrp;
  return state;
}

State Starting() {
  State state;
  state.config = TestConfig();
  return state;
}

State With(State state, const std::function<void(State&)>& change) {
  change(state);
  return state;
}

struct ColourCase {
  const char* name;
  State state;
  Status status;
  const char* message;
};

class ShowsItself : public testing::TestWithParam<ColourCase> {};

TEST_P(ShowsItself, InAColourThatSaysWhy) {
  const NodeView node = LocalNode(GetParam().state);
  EXPECT_EQ(node.status, GetParam().status) << node.message;
  EXPECT_THAT(node.message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Status, ShowsItself,
    testing::Values(
        ColourCase{"StartingIsGrey", Starting(), Status::kGrey, "starting"},
        ColourCase{"MasterIsGreen", ReadyMaster(), Status::kGreen,
                   "master since term 8; node2 is ready"},
        ColourCase{"MasterAloneIsGreenAndSaysSo",
                   With(ReadyMaster(),
                        [](State& s) {
                          s.peer.connected = false;
                          s.peer.problem = "no answer";
                        }),
                   Status::kGreen, "serves alone: node2 is unreachable: no answer"},
        ColourCase{"MasterWhosePeerIsNotReadySaysWhy",
                   With(ReadyMaster(), [](State& s) { s.peer.told->role = Role::kFault; }),
                   Status::kGreen, "node2 is not ready: node1 is MASTER, node2 is FAULT"},
        ColourCase{
            "MasterWhosePeersKernelIsFullIsRed",
            With(ReadyMaster(),
                 [](State& s) {
                   s.conntrack.missing = 4211;
                   s.conntrack.table_entries = s.conntrack.table_maximum = 262144;
                 }),
            Status::kRed,
            "master since term 8; 4,211 connections are missing on node2: its kernel's "
            "table is full (262,144 of 262,144); raise net.netfilter.nf_conntrack_max there"},
        ColourCase{"MasterWhosePeersKernelRefusesSomeIsNot",
                   With(ReadyMaster(), [](State& s) { s.conntrack.missing = 2; }), Status::kGreen,
                   "node2 is not ready: 2 connections are missing on node2"},
        ColourCase{"BackupWhoseKernelIsFullIsRed",
                   With(ReadyBackup(),
                        [](State& s) {
                          s.conntrack.missing = 4211;
                          s.conntrack.table_entries = s.conntrack.table_maximum = 262144;
                        }),
                   Status::kRed,
                   "not ready to take over: 4,211 connections are missing on node1: its kernel's "
                   "table is full (262,144 of 262,144)"},
        ColourCase{"MasterWithAProblemIsRed",
                   With(ReadyMaster(),
                        [](State& s) { s.problems["interface front"] = "carrier is lost"; }),
                   Status::kRed, "interface front: carrier is lost"},
        ColourCase{"BackupIsGreenWhenReady", ReadyBackup(), Status::kGreen,
                   "ready to take over from node2"},
        ColourCase{"BackupIsRedWhileFlowsAreMissing",
                   With(ReadyBackup(), [](State& s) { s.conntrack.synchronised = false; }),
                   Status::kRed, "not ready to take over: the flows are not synchronised"},
        ColourCase{"BackupIsRedWithoutTheLink",
                   With(ReadyBackup(), [](State& s) { s.peer.connected = false; }), Status::kRed,
                   "node2 is unreachable"},
        ColourCase{"FaultIsRed", InFault(VrrpState::kFault), Status::kRed,
                   "keepalived is in FAULT"},
        ColourCase{"DownIsRed", InFault(VrrpState::kDown), Status::kRed, "keepalived does not run"},
        ColourCase{"DownNamesTheProblem",
                   With(InFault(VrrpState::kDown),
                        [](State& s) { s.problems["heartbeat"] = "keepalived died"; }),
                   Status::kRed, "heartbeat: keepalived died"},
        ColourCase{"YieldingSaysToWhom",
                   With(InFault(VrrpState::kFault), [](State& s) { s.yielding.active = true; }),
                   Status::kRed, "gives way to node2"},
        ColourCase{"HeldFaultNamesTheMissingAdverts",
                   With(InFault(VrrpState::kFault),
                        [](State& s) {
                          s.yielding.active = true;
                          s.yielding.hold = absl::Seconds(10);
                        }),
                   Status::kRed, "adverts of node2 do not arrive although it is master"},
        ColourCase{"MaintenanceIsOrange",
                   With(InFault(VrrpState::kFault),
                        [](State& s) {
                          s.role = Role::kMaintenance;
                          s.durable.maintenance = true;
                        }),
                   Status::kOrange, "in maintenance"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Status, OfThePeerIsWhatItSaidWhileConnected) {
  State state = ReadyMaster();
  state.peer.told->status = Status::kRed;
  state.peer.told->message = "not ready to take over";
  const NodeView node = RemoteNode(state);
  EXPECT_EQ(node.role, Role::kBackup);
  EXPECT_EQ(node.status, Status::kRed);
  EXPECT_EQ(node.message, "not ready to take over");
}

TEST(Status, OfAnUnreachablePeerIsGreyWithTheReasonAndNoRole) {
  State state = ReadyMaster();
  state.peer.connected = false;
  state.peer.problem = "its certificate expired on 2026-01-01";
  const NodeView node = RemoteNode(state);
  EXPECT_EQ(node.role, Role::kUnknown);
  EXPECT_EQ(node.status, Status::kGrey);
  EXPECT_EQ(node.message, "unreachable: its certificate expired on 2026-01-01");
}

TEST(Status, OfThePeerAlwaysHasAMessage) {
  State state = ReadyMaster();
  state.peer.told->message.clear();
  EXPECT_FALSE(RemoteNode(state).message.empty());
  state.peer.told.reset();
  EXPECT_FALSE(RemoteNode(state).message.empty());
}

TEST(Status, IsTheSameButForCountersThatMoveAllTheTime) {
  const State before = ReadyMaster();
  NodeState told;
  EXPECT_TRUE(Describe(before, Show(before), told));
  EXPECT_FALSE(Describe(before, Show(before), told));
  State after = before;
  after.conntrack.flows = 5;
  after.conntrack.changes = 7;
  after.conntrack.lag = absl::Milliseconds(2);
  after.peer.heard = absl::UnixEpoch() + absl::Seconds(1);
  EXPECT_FALSE(Describe(after, Show(after), told));
  EXPECT_EQ(told.conntrack, after.conntrack) << "brought up to date all the same";
  EXPECT_TRUE(SameButCounters(Show(before), Show(after)));
  after.conntrack.missing = 1;
  EXPECT_TRUE(Describe(after, Show(after), told));
  after.conntrack.table_maximum = 9;
  EXPECT_TRUE(Describe(after, Show(after), told));
  after.conntrack.synchronised = false;
  EXPECT_TRUE(Describe(after, Show(after), told));
  EXPECT_FALSE(SameButCounters(Show(before), Show(after)));
}

TEST(Status, ShowsAllThatTheApiNeeds) {
  State state = ReadyMaster();
  state.roots = {EqualRoot()};
  state.peer.address = "192.0.2.10:7700";
  const View view = Show(state);
  EXPECT_EQ(view.term, Term{8});
  EXPECT_EQ(view.own_term, Term{8});
  EXPECT_TRUE(view.link.up);
  EXPECT_EQ(view.link.address, "192.0.2.10:7700");
  EXPECT_TRUE(view.not_ready.empty());
  EXPECT_EQ(view.roots.size(), 1u);
  EXPECT_EQ(view.local.name, "node1");
  EXPECT_EQ(view.remote.name, "node2");
}

}  // namespace
}  // namespace zcluster::core
