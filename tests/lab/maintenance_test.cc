// SPDX-License-Identifier: Apache-2.0
// Maintenance: a master hands over first; the state, and why, survives restarts of agent and
// keepalived and a power cut; the last node that can serve is not let go; `start` makes the node
// ready again, and moves nothing; what was connected meanwhile lives on when it serves at once. One
// that was entered for a time ends by itself.
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

  // Whether everybody who asks, on either node, is told that text of `node`.
  static bool BothSay(const std::string& node, const std::string& text) {
    const auto says = [&](const std::string& on, const std::string& which) {
      return lab().Node(on, which).message.find(text) != std::string::npos;
    };
    return says(node, "local") && says(Lab::Peer(node), "remote");
  }
};

TEST_F(Maintenance, OfTheMasterFromEnterToStart) {
  const std::string out = lab().Master(), serving = Lab::Peer(out);
  Traffic connections = Hold(100);
  AwaitReplicated(out, 100);
  lab().MustExec(out, {"zctl", "maintenance", "enter", "--reason", "a new disk"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(serving) && InMaintenance(out); }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return BothSay(out, "in maintenance: a new disk"); }));
  ExpectAllAlive(connections, 100);
  EXPECT_EQ(lab().Node(serving, "remote").status, "ORANGE");
  for (const std::string& node : {out, serving}) {
    const std::string status = lab().Read(node, {"zctl", "status"});
    EXPECT_NE(status.find("in maintenance: a new disk"), std::string::npos) << status;
  }

  Outcome refused = lab().Exec(serving, {"zctl", "maintenance", "enter"});
  EXPECT_EQ(refused.code, 1) << refused.out << refused.err;
  EXPECT_TRUE(lab().HoldsAll(serving));

  lab().MustRun({"agent", out, "kill"});
  lab().MustRun({"agent", out, "start"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return InMaintenance(out); })) << "lost by an agent's restart";
  lab().MustExec(out, {"pkill", "-KILL", "-x", "keepalived"});
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return !lab().Read(out, {"pgrep", "-x", "keepalived"}).empty() && InMaintenance(out);
  })) << "lost by a restart of keepalived";
  lab().MustRun({"kill", out});
  lab().MustRun({"revive", out});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return InMaintenance(out); })) << "lost by a reboot";
  EXPECT_TRUE(WaitUntil(kLong, [&] { return BothSay(out, "in maintenance: a new disk"); }));
  EXPECT_TRUE(lab().HoldsAll(serving));

  // It stays synchronised all the while: what was connected since lives on when it serves at once.
  Traffic meanwhile = Hold(50);
  lab().MustExec(serving, {"sh", "-c", "echo global >/etc/haproxy/meanwhile.cfg"});
  lab().MustExec(out, {"zctl", "maintenance", "start"});
  EXPECT_EQ(lab().Read(out, {"cat", "/etc/haproxy/meanwhile.cfg"}), "global\n");
  EXPECT_TRUE(lab().HoldsAll(serving));
  EXPECT_EQ(lab().Node(out, "local").role, "BACKUP");
  EXPECT_FALSE(BothSay(out, "a new disk"));
  AwaitReady();
  lab().MustExec(out, {"zctl", "switchover"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(out); }));
  ExpectAllAlive(connections, 100);
  ExpectAllAlive(meanwhile, 50);
}

TEST_F(Maintenance, EndsByItselfAlsoOverAnAgentsRestart) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustExec(backup, {"zctl", "maintenance", "enter", "--for", "1h", "--reason", "a new disk"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return BothSay(backup, "UTC: a new disk"); }));
  // Entered again, with another end: from now on that one counts.
  lab().MustExec(backup, {"zctl", "maintenance", "enter", "--for", "3s"});
  lab().MustRun({"agent", backup, "kill"});
  lab().MustRun({"agent", backup, "start"});
  AwaitReady();
  EXPECT_EQ(lab().Node(backup, "local").role, "BACKUP");
  EXPECT_TRUE(lab().HoldsAll(master));
}

TEST_F(Maintenance, EndsWhileTheNodeHasNoPower) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(50);
  lab().MustExec(backup, {"zctl", "maintenance", "enter", "--for", "1s"});
  lab().MustRun({"kill", backup});
  lab().MustRun({"revive", backup});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_EQ(lab().Node(backup, "local").role, "BACKUP");
  ExpectAllAlive(connections, 50);
}

TEST_F(Maintenance, OfTheLastNodeOnlyByForceAndOverItsPowerCut) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustExec(backup, {"zctl", "maintenance", "enter"});
  Outcome outcome = lab().Exec(master, {"zctl", "maintenance", "enter"});
  EXPECT_EQ(outcome.code, 1) << outcome.out << outcome.err;
  EXPECT_NE(outcome.err.find(backup + " is in maintenance"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("--force"), std::string::npos) << outcome.err;
  EXPECT_TRUE(lab().HoldsAll(master));

  outcome = lab().Exec(master, {"zctl", "maintenance", "enter", "--force"});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("going on by force although"), std::string::npos) << outcome.out;
  EXPECT_TRUE(WaitUntil(kLong, [&] { return InMaintenance(master); }));
  EXPECT_EQ(lab().Holders(), "");
  // Whoever boots alone serves; not a node that was taken out, though nobody else does.
  lab().MustRun({"kill", master});
  lab().MustRun({"revive", master});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return InMaintenance(master) && InMaintenance(backup); }));
  EXPECT_EQ(lab().Holders(), "");
  lab().MustExec(master, {"zctl", "maintenance", "start"});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(master); }));
  lab().MustExec(backup, {"zctl", "maintenance", "start"});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(master));
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
