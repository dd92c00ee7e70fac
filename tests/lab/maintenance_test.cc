// SPDX-License-Identifier: Apache-2.0
// Maintenance: a master hands over first; the state survives the agent's restart and a reboot; the
// last node that can serve is not let go; `start` makes the node ready again, and moves nothing.
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class Maintenance : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("maint"); }

  static bool InMaintenance(const std::string& node) {
    const Lab::NodeLine line = lab().Node(node, "local");
    return line.role == "MAINTENANCE" && line.status == "ORANGE";
  }
};

TEST_F(Maintenance, OfTheMasterFromEnterToStart) {
  const std::string out = lab().Master(), serving = Lab::Peer(out);
  Traffic connections = Hold(100);
  AwaitReplicated(out, 100);
  lab().MustExec(out, {"zctl", "maintenance", "enter"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(serving) && InMaintenance(out); }));
  ExpectAllAlive(connections, 100);
  EXPECT_EQ(lab().Node(serving, "remote").status, "ORANGE");

  Outcome refused = lab().Exec(serving, {"zctl", "maintenance", "enter"});
  EXPECT_EQ(refused.code, 1) << refused.out << refused.err;
  EXPECT_TRUE(lab().HoldsAll(serving));

  lab().MustRun({"agent", out, "kill"});
  lab().MustRun({"agent", out, "start"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return InMaintenance(out); })) << "lost by an agent's restart";
  lab().MustRun({"kill", out});
  lab().MustRun({"revive", out});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return InMaintenance(out); })) << "lost by a reboot";
  EXPECT_TRUE(lab().HoldsAll(serving));

  lab().MustExec(out, {"zctl", "maintenance", "start"});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(serving));
  EXPECT_EQ(lab().Node(out, "local").role, "BACKUP");
  ExpectAllAlive(connections, 100);
}

TEST_F(Maintenance, OfTheBackupMovesNothing) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic probe = Probe();
  lab().MustExec(backup, {"zctl", "maintenance", "enter"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return InMaintenance(backup); }));
  EXPECT_TRUE(lab().HoldsAll(master));
  lab().MustExec(backup, {"zctl", "maintenance", "start"});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_LT(probe.Stop()["outage_ms"].as<double>(), 100);
}

}  // namespace
}  // namespace zcluster::lab
