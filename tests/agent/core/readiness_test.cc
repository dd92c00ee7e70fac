// SPDX-License-Identifier: Apache-2.0
#include "agent/core/readiness.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A pair at rest, seen from its master or from its backup.
State AtRest(Role role) {
  State state;
  state.config = TestConfig();
  state.config.has_roots = true;
  state.role = role;
  state.vrrp = role == Role::kMaster ? VrrpState::kMaster : VrrpState::kBackup;
  state.conntrack = Synchronised();
  state.roots = {EqualRoot()};
  state.peer.connected = true;
  state.peer.told = PeerAs(role == Role::kMaster ? Role::kBackup : Role::kMaster, 1, 1);
  state.peer.told->roots = {EqualRoot()};
  return state;
}

TEST(Readiness, IsGivenOnBothNodesOfAPairAtRest) {
  EXPECT_THAT(NotReady(AtRest(Role::kMaster)), IsEmpty());
  EXPECT_THAT(NotReady(AtRest(Role::kBackup)), IsEmpty());
}

TEST(Readiness, HasEvidenceForEachPrecondition) {
  for (const Precondition& precondition : Preconditions(AtRest(Role::kMaster))) {
    EXPECT_TRUE(precondition.met);
    EXPECT_FALSE(precondition.evidence.empty());
  }
}

struct Broken {
  const char* name;
  Role seen_from;
  std::function<void(State&)> what;
  const char* evidence;
};

class IsRefused : public testing::TestWithParam<Broken> {};

TEST_P(IsRefused, WithTheReason) {
  State state = AtRest(GetParam().seen_from);
  GetParam().what(state);
  EXPECT_THAT(NotReady(state), Contains(HasSubstr(GetParam().evidence)));
}

const auto kFromMaster = Role::kMaster;
const auto kFromBackup = Role::kBackup;

INSTANTIATE_TEST_SUITE_P(
    Readiness, IsRefused,
    testing::Values(
        Broken{"WithoutTheLink", kFromMaster,
               [](State& s) {
                 s.peer.connected = false;
                 s.peer.problem = "no answer from 192.0.2.10";
               },
               "node2 is unreachable: no answer from 192.0.2.10"},
        Broken{"BeforeThePeerSaidHowItIs", kFromMaster, [](State& s) { s.peer.told.reset(); },
               "node1 is MASTER, node2 is UNKNOWN"},
        Broken{"WithoutAStandby", kFromMaster, [](State& s) { s.peer.told->role = Role::kFault; },
               "node2 is FAULT; one MASTER and one BACKUP are needed"},
        Broken{"WithoutAMaster", kFromBackup, [](State& s) { s.peer.told->role = Role::kBackup; },
               "node1 is BACKUP, node2 is BACKUP"},
        Broken{"WhenTheStandbysKeepalivedIsDown", kFromBackup,
               [](State& s) {
                 s.vrrp = VrrpState::kDown;
                 s.role = Role::kFault;
               },
               "keepalived does not run on node1"},
        Broken{"WhileFlowsAreMissingHere", kFromBackup,
               [](State& s) {
                 s.conntrack.synchronised = false;
                 s.conntrack.flows = 80311;
                 s.conntrack.problem = "the snapshot is under way";
               },
               "not synchronised, as node1 sees it (80,311 so far): the snapshot is under way"},
        Broken{"WhileTheMasterSeesFlowsMissing", kFromBackup,
               [](State& s) { s.peer.told->conntrack.synchronised = false; }, "as node2 sees it"},
        Broken{"WhileThisMasterSeesFlowsMissing", kFromMaster,
               [](State& s) { s.conntrack.synchronised = false; }, "as node1 sees it"},
        Broken{"WhileARootDiffers", kFromMaster, [](State& s) { s.roots[0].remote_digest = "bb"; },
               "/etc/haproxy (0 entries) differs between the nodes, as node1 sees it"},
        Broken{"WhileARootHasAProblem", kFromBackup,
               [](State& s) { s.roots[0].problem = "refused by haproxy -c"; },
               "refused by haproxy -c"},
        Broken{"BeforeTheFilesWereScanned", kFromMaster, [](State& s) { s.roots.clear(); },
               "node1 has not scanned its files yet"},
        Broken{"WhenAPartOfTheStandbyIsIll", kFromBackup,
               [](State& s) { s.problems["interface front"] = "carrier is lost"; },
               "interface front on node1: carrier is lost"},
        Broken{"WhenTheStandbySaysSo", kFromMaster,
               [](State& s) {
                 s.peer.told->not_ready = {"interface front on node2: carrier is lost"};
               },
               "interface front on node2: carrier is lost"},
        Broken{"InMaintenance", kFromBackup,
               [](State& s) {
                 s.durable.maintenance = true;
                 s.role = Role::kMaintenance;
                 s.vrrp = VrrpState::kFault;
               },
               "node1 is in maintenance"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Readiness, ShowsTheDigestOfTheFlowsAndIsLostWhileTheyDiffer) {
  State state = AtRest(Role::kMaster);
  state.conntrack.digest = 0x4f2a91c0d3;
  const auto flows = [&] { return Preconditions(state)[2]; };
  EXPECT_TRUE(flows().met);
  EXPECT_THAT(flows().evidence, HasSubstr(", digest 0000004f2a91c0d3"));
  state.conntrack.differs = true;
  state.conntrack.refused = 12;
  EXPECT_FALSE(flows().met);
  EXPECT_THAT(flows().evidence, HasSubstr("12 refused by its kernel"));
}

TEST(Readiness, IsLostWhileTheStandbysKernelLacksFlowsAndSaysWhereAndWhy) {
  State master = AtRest(Role::kMaster);
  master.conntrack.missing = 4211;
  master.conntrack.differs = true;
  master.peer.told->conntrack.missing = 4211;
  master.conntrack.table_entries = master.peer.told->conntrack.table_entries = 262143;
  master.conntrack.table_maximum = master.peer.told->conntrack.table_maximum = 262144;
  const std::string full =
      "4,211 connections are missing on node2: its kernel's table is full (262,143 of 262,144); "
      "raise net.netfilter.nf_conntrack_max there";
  EXPECT_THAT(NotReady(master), ElementsAre(full)) << "both see it";
  EXPECT_EQ(NoRoomThere(master), full);

  State backup = AtRest(Role::kBackup);
  backup.conntrack = master.conntrack;
  backup.conntrack.missing = 1;
  EXPECT_THAT(NotReady(backup),
              ElementsAre(HasSubstr("1 connection is missing on node1: its kernel's table")));
  EXPECT_EQ(OwnReasons(backup), NotReady(backup)) << "so the master hears it";

  master.conntrack.table_maximum = master.peer.told->conntrack.table_maximum = 0;
  EXPECT_THAT(NotReady(master), ElementsAre("4,211 connections are missing on node2: its kernel "
                                            "refused, and is asked again each second"));
  EXPECT_EQ(NoRoomThere(master), "") << "it may be over in a second";
}

TEST(Readiness, DoesNotAskForWhatIsNotReplicated) {
  State state = AtRest(Role::kMaster);
  state.config.replicate_conntrack = false;
  state.config.has_roots = false;
  state.conntrack = {};
  state.roots.clear();
  EXPECT_THAT(NotReady(state), IsEmpty());
}

TEST(Readiness, HoldsAllWhenNothingIsMissing) {
  const auto lacks = [](void (*what)(State&)) {
    State state = AtRest(Role::kBackup);
    what(state);
    EXPECT_EQ(HoldsAll(state), MissingHere(state).empty());
    return !HoldsAll(state);
  };
  EXPECT_FALSE(lacks([](State&) {}));
  EXPECT_TRUE(lacks([](State& state) { state.conntrack.synchronised = false; }));
  EXPECT_TRUE(lacks([](State& state) { state.conntrack.differs = true; }));
  EXPECT_TRUE(lacks([](State& state) { state.conntrack.missing = 1; }));
  EXPECT_TRUE(lacks([](State& state) { state.roots.clear(); }));
  EXPECT_TRUE(lacks([](State& state) { state.roots[0].problem = "no space left"; }));
  EXPECT_TRUE(lacks([](State& state) { state.roots[0].remote_digest = "other"; }));
}

TEST(Readiness, ToldToThePeerNeverRepeatsThePeersOwnReasons) {
  State state = AtRest(Role::kBackup);
  state.peer.told->not_ready = {"something of node2"};
  state.peer.told->conntrack.synchronised = false;
  EXPECT_THAT(OwnReasons(state), IsEmpty());
}

TEST(Readiness, OfAMasterItselfHasNoReasons) {
  State state = AtRest(Role::kMaster);
  state.problems["interface front"] = "carrier is lost";
  EXPECT_THAT(OwnReasons(state), IsEmpty());
}

}  // namespace
}  // namespace zcluster::core
