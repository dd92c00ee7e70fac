// SPDX-License-Identifier: Apache-2.0
// zagent is killed and started again on either node: nothing moves.
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class AgentDeath : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("agent"); }

  // Kills the agent of `victim`, starts it again, and demands that nobody noticed.
  static void KillAndRestart(const std::string& victim) {
    const std::string master = lab().Master(), backup = Lab::Peer(master);
    const int64_t term = Term(master);
    const int moves = Transitions(master) + Transitions(backup);
    Traffic connections = Hold(50), probe = Probe();
    lab().MustRun({"agent", victim, "kill"});
    EXPECT_TRUE(WaitUntil(kLong, [&] {
      return lab().Node(Lab::Peer(victim), "remote").status == "GREY";
    })) << "the peer does not notice that the agent is gone";
    EXPECT_EQ(lab().Holders(), master);
    lab().MustRun({"agent", victim, "start"});
    AwaitReady();
    EXPECT_TRUE(lab().HoldsAll(master));
    EXPECT_EQ(lab().Node(master, "local").role, "MASTER");
    EXPECT_EQ(lab().Node(backup, "local").role, "BACKUP");
    EXPECT_EQ(Term(master), term);
    EXPECT_EQ(Term(backup), term);
    EXPECT_EQ(Transitions(master) + Transitions(backup), moves) << "VRRP changed its state";
    ExpectAllAlive(connections, 50);
    EXPECT_LT(probe.Stop()["outage_ms"].as<double>(), 100);
  }
};

TEST_F(AgentDeath, OfTheMasterMovesNothing) { KillAndRestart(lab().Master()); }

TEST_F(AgentDeath, OfTheBackupMovesNothing) { KillAndRestart(Lab::Peer(lab().Master())); }

TEST_F(AgentDeath, OfTheMasterLosesNoConnectionInALaterPowerCut) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(50);
  lab().MustRun({"agent", master, "kill"});
  lab().MustRun({"agent", master, "start"});
  AwaitReady();
  AwaitReplicated(master, 50);
  lab().MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  ExpectAllAlive(connections, 50);
  lab().MustRun({"revive", master});
}

}  // namespace
}  // namespace zcluster::lab
