// SPDX-License-Identifier: Apache-2.0
// A planned switchover under load: no connection lost, no request failed; refused when not ready.
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class Switchover : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("switch"); }
  void TearDown() override {
    lab().MustRun({"heal"});
    Scenario::TearDown();
  }

  // Asked of `asked`; moves from `master` under load.
  static void MoveUnderLoad(const std::string& master, const std::string& asked) {
    const std::string backup = Lab::Peer(master);
    Traffic connections = Hold(200), requests = Requests(200), probe = Probe();
    AwaitReplicated(master, 200);
    Outcome outcome = lab().Exec(asked, {"zctl", "switchover"});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
    AwaitAnswers(probe);
    ExpectAllAlive(connections, 200);
    EXPECT_LT(probe.Stop()["outage_ms"].as<double>(), 300);
    YAML::Node report = requests.Stop();
    EXPECT_EQ(report["failed"].as<int>(), 0) << report;
    AwaitReady();
    EXPECT_EQ(lab().Node(backup, "local").role, "MASTER");
    EXPECT_EQ(lab().Node(master, "local").role, "BACKUP");
  }
};

TEST_F(Switchover, UnderLoadLosesNothing) {
  const std::string master = lab().Master();
  MoveUnderLoad(master, master);
}

TEST_F(Switchover, AskedOfTheBackupIsPassedOn) {
  const std::string master = lab().Master();
  MoveUnderLoad(master, Lab::Peer(master));
}

TEST_F(Switchover, IsRefusedWithReasonsWhenThePeerIsNotReady) {
  const std::string master = lab().Master();
  lab().MustRun({"cut", "node1", "node2", "--only", "link"});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return !lab().Status(master)["ready"].as<bool>(); }));
  Outcome outcome = lab().Exec(master, {"zctl", "switchover"});
  EXPECT_EQ(outcome.code, 1) << outcome.out << outcome.err;
  EXPECT_NE(outcome.err.find(Lab::Peer(master)), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("--force"), std::string::npos) << outcome.err;
  EXPECT_TRUE(lab().HoldsAll(master));
}

}  // namespace
}  // namespace zcluster::lab
