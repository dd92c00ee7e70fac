// SPDX-License-Identifier: Apache-2.0
#include "agent/core/evidence.h"

#include "agent/core/facts.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

// All that `zctl explain` tells of a master that lost its power.
TEST(Evidence, OfATakeoverSaysWhatWasKnownOfTheOldMaster) {
  Bench bench;
  bench.BecomeReadyBackup();
  ConntrackState conntrack = Synchronised();
  conntrack.flows = 80311;
  bench.Tell(ConntrackReported{conntrack});
  NodeState master = PeerAs(Role::kMaster, 1, 1);
  master.facts = {{std::string(fact::kLocal), "37"}};
  bench.Tell(PeerReported{master}).Pass(absl::Milliseconds(300)).Vrrp(VrrpState::kMaster);
  bench.Tell(PeerAnswered{bench.Last<AskPeer>()->nonce, {}});  // it lives, and serves no more
  EXPECT_EQ(bench.Field("promoted", "cause"), "adverts_stopped");
  EXPECT_EQ(bench.Field("promoted", "from"), "node2");
  EXPECT_EQ(bench.Field("promoted", "peer"), "MASTER");
  EXPECT_EQ(bench.Field("promoted", "peer_heard"), "300ms");
  EXPECT_EQ(bench.Field("promoted", "flows_held"), "80311");
  EXPECT_EQ(bench.Field("promoted", "ended_on_peer"), "37");
  EXPECT_EQ(bench.Field("promoted", "missing"), "-");
}

TEST(Evidence, LeavesOutWhatIsNotKnown) {
  Bench bench;
  bench.Start().Vrrp(VrrpState::kBackup).Vrrp(VrrpState::kMaster);
  EXPECT_EQ(bench.Field("promoted", "cause"), "peer_unreachable");
  EXPECT_EQ(bench.Field("promoted", "from"), "-");
  EXPECT_EQ(bench.Field("promoted", "peer_heard"), "-");
  EXPECT_EQ(bench.Field("promoted", "ended_on_peer"), "-");
  EXPECT_NE(bench.Field("promoted", "missing"), "-");
}

TEST(Evidence, OfAnOperationNamesWhoWhyAndEachStep) {
  Bench bench;
  bench.BecomeReadyMaster();
  OperationAsked asked{OperationId{1}, OperationKind::kSwitchover};
  asked.by = "operator anna";
  asked.reason = "new disk";
  bench.Tell(asked);
  EXPECT_EQ(bench.Field("operation_started", "by"), "operator anna");
  EXPECT_EQ(bench.Field("operation_started", "reason"), "new disk");
  EXPECT_EQ(bench.Field("operation_step", "step"), "node2 is ready");
  bench.Tell(Flushed{OperationId{1}, Replicator::kConntrack});
  EXPECT_EQ(bench.Field("gives_way", "to"), "node2");
  bench.Vrrp(VrrpState::kFault);
  EXPECT_EQ(bench.Field("demoted", "cause"), "switchover");
}

TEST(Evidence, EachChangeOfTheRoleHasACause) {
  Bench bench;
  bench.Start().Vrrp(VrrpState::kBackup);
  EXPECT_EQ(bench.Field("role_changed", "to"), "BACKUP");
  EXPECT_EQ(bench.Field("role_changed", "cause"), "keepalived says BACKUP");
  EXPECT_EQ(bench.Field("vrrp_changed", "from"), "nothing");
  EXPECT_EQ(bench.Field("vrrp_changed", "to"), "BACKUP");
}

TEST(Evidence, AnAlarmIsToldWhenItComesAndGoes) {
  Bench bench;
  bench.BecomeReadyMaster();
  bench.Tell(ComponentReported{"interface front", "it is down"});
  EXPECT_EQ(bench.Field("problem", "component"), "interface front");
  bench.Tell(ComponentReported{"interface front", "it is down since 2 s"});
  EXPECT_EQ(bench.Field("problem", "problem"), "it is down");  // told once
  EXPECT_FALSE(bench.Logged("problem_ended"));
  bench.Tell(ComponentReported{"interface front", ""});
  EXPECT_TRUE(bench.Logged("problem_ended"));
}

TEST(Evidence, OfWhatTheNetworkShowedIsKeptAsMeasured) {
  Bench bench;
  bench.BecomeReadyMaster();
  bench.Tell(NetworkSeen{NetworkSeen::What::kLastAdvert, absl::Milliseconds(-312)});
  EXPECT_EQ(bench.Field("network_seen", "what"), "last_advert");
  EXPECT_EQ(bench.Field("network_seen", "after"), "-312ms");
  EXPECT_EQ(bench.Field("network_seen", "term"), "1");
}

TEST(Evidence, OfARecoveryIsTheStandbysWord) {
  Bench bench;
  bench.Start().Vrrp(VrrpState::kBackup).Vrrp(VrrpState::kMaster).Sync().Connect();
  EXPECT_FALSE(bench.Logged("peer_stands_by"));
  bench.Peer(Role::kBackup, 0, 1);
  EXPECT_EQ(bench.Field("peer_stands_by", "term"), "1");
}

}  // namespace
}  // namespace zcluster::core
