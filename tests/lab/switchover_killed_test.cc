// SPDX-License-Identifier: Apache-2.0
// A switchover whose agents die: either of them, killed at each step. One node serves, as long as
// the agent is dead too, and no connection is lost.
#include <gtest/gtest.h>
#include <signal.h>

#include "absl/strings/match.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

// The last step that was told before the kill.
constexpr const char* kSteps[] = {"is ready", "flows acknowledged", "holds all", "is master (term"};

struct Case {
  bool of_master;  // whose agent
  const char* step;
};

class SwitchoverKilled : public Scenario, public testing::WithParamInterface<Case> {
 protected:
  static void SetUpTestSuite() { Raise("swkill"); }
};

TEST_P(SwitchoverKilled, LeavesOneThatServes) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const std::string victim = GetParam().of_master ? master : backup;
  Traffic connections = Hold(60), probe = Probe();
  AwaitReplicated(master, 60);
  const pid_t agent = AgentPid(victim);
  ASSERT_GT(agent, 0);
  bool killed = false;
  // Asked of the other one, so that it is not the question that dies.
  const Outcome asked =
      Follow(Lab::Peer(victim), {"zctl", "switchover"}, "", [&](const std::string& line) {
        if (killed || !absl::StrContains(line, GetParam().step)) return;
        killed = true;
        kill(agent, SIGKILL);
      });
  ASSERT_TRUE(killed) << "the step was never told:\n" << asked.out;
  AwaitGone(agent);

  // Nobody helps: the lease of a fault that the dead one left is all that can end it.
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(master) || lab().HoldsAll(backup); }))
      << asked.out;
  AwaitAnswers(probe);
  const int answered = probe.Report()["answered"].as<int>();
  EXPECT_TRUE(
      WaitUntil(kLong, [&] { return probe.Report()["answered"].as<int>() > answered + 500; }));
  lab().MustRun({"agent", victim, "start"});
  AwaitReady();
  ExpectAllAlive(connections, 60);
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const bool of_master : {true, false}) {
    for (const char* step : kSteps) cases.push_back({of_master, step});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(EachStep, SwitchoverKilled, testing::ValuesIn(AllCases()),
                         [](const testing::TestParamInfo<Case>& tested) {
                           std::string name =
                               tested.param.of_master ? "MastersAgentAfter" : "BackupsAgentAfter";
                           for (const char* c = tested.param.step; *c != '\0'; ++c) {
                             if (isalnum(static_cast<unsigned char>(*c))) name += *c;
                           }
                           return name;
                         });

}  // namespace
}  // namespace zcluster::lab
