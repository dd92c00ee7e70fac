// SPDX-License-Identifier: Apache-2.0
// A planned switchover under load: no connection lost, no request failed; refused when not ready.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
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

  // One step a line, each with its time: the peer holds all and is ready before the master yields.
  static void ExpectSteps(const std::string& out, const std::string& master,
                          const std::string& backup) {
    const std::vector<std::string> lines = absl::StrSplit(out, '\n');
    const auto line_of = [&](const std::string& what) {
      const auto found = std::find_if(lines.begin(), lines.end(), [&](const std::string& line) {
        return absl::StrContains(line, " ms  " + what);
      });
      EXPECT_NE(found, lines.end()) << what << " is not among the steps:\n" << out;
      return found;
    };
    const auto begin = line_of(backup + " is ready"), barrier = line_of(backup + " holds all");
    for (const char* what : {"flows", "files", "commands"}) {
      const auto acknowledged = line_of(std::string(what) + " acknowledged by " + backup);
      EXPECT_TRUE(begin < acknowledged && acknowledged < barrier) << out;
    }
    const auto moved = line_of(backup + " is master (term");
    EXPECT_TRUE(barrier < moved && moved < line_of(master + " stands by")) << out;
  }

  // Asked of `asked`; moves from `master` under load.
  static void MoveUnderLoad(const std::string& master, const std::string& asked) {
    const std::string backup = Lab::Peer(master);
    Traffic connections = Hold(200), requests = Requests(200), probe = Probe();
    AwaitReplicated(master, 200);
    Outcome outcome = lab().Exec(asked, {"zctl", "switchover"});
    EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    ExpectSteps(outcome.out, master, backup);
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

// `zctl run` succeeds only if the command ran on both nodes: one that is cut in two by a hand-over
// would run on the old master, and be refused by the new one.
TEST_F(Switchover, CutsNoCommandInTwo) {
  const std::string loop = "for i in $(seq 30); do zctl run hostname || exit 1; done";
  Background on_first(lab().ExecArgv("node1", {"sh", "-c", loop}));
  Background on_second(lab().ExecArgv("node2", {"sh", "-c", loop}));
  for (int i = 0; i < 3; ++i) {
    AwaitReady();
    lab().MustExec(lab().Master(), {"zctl", "switchover"});
  }
  EXPECT_EQ(on_first.Wait(), 0);
  EXPECT_EQ(on_second.Wait(), 0);
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

  // By force it goes all the same, and says so.
  outcome = lab().Exec(master, {"zctl", "switchover", "--force"});
  EXPECT_NE(outcome.err.find("--force: what the other node does not hold yet will be lost"),
            std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.out.find("going on by force although"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(Lab::Peer(master)); }));
}

}  // namespace
}  // namespace zcluster::lab
