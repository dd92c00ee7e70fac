// SPDX-License-Identifier: Apache-2.0
// Machines that boot: keepalived by its own unit, the agent at once, late, or never.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

// The gate's bound, and the election after it; and what a busy machine adds.
constexpr absl::Duration kGate = absl::Seconds(15);

class Boot : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("boot"); }
  static bool StandsAside(const std::string& node) {
    return lab().Read(node, {"cat", "/var/lib/zcluster/heartbeat/fault"}) == "1\n";
  }
  // How often its agents have opened a boot's gate, ever.
  static size_t GatesOpened(const std::string& node) {
    const std::string log = lab().Read(node, {"cat", "/var/log/zcluster/agent.log"});
    size_t count = 0;
    for (size_t at = 0; (at = log.find(" boot_gate_opened ", at)) != std::string::npos; ++at)
      ++count;
    return count;
  }
  static std::string Message(const std::string& node) {
    const YAML::Node all = YAML::Load(lab().Read(node, {"zctl", "nodes", "-o", "json"}));
    const YAML::Node local = all["nodes"][0];
    return absl::StrCat(local["status"].as<std::string>(), " ", local["message"].as<std::string>());
  }
};

TEST_F(Boot, WithALateAgentMovesNothing) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const int before = Transitions(master);
  const size_t gates = GatesOpened(backup);
  lab().MustRun({"kill", backup});
  lab().MustRun({"revive", backup, "--without-agent"});
  EXPECT_TRUE(StandsAside(backup));
  lab().MustRun({"agent", backup, "start"});
  AwaitReady();
  EXPECT_EQ(lab().Master(), master);
  EXPECT_EQ(Transitions(master), before);
  // It went on with the gate that it found.
  EXPECT_EQ(GatesOpened(backup), gates + 1);
}

TEST_F(Boot, WithoutAnyAgentALoneNodeServesAfterItsGate) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustRun({"kill", master});
  lab().MustRun({"kill", backup});
  lab().MustRun({"revive", backup, "--without-agent"});
  EXPECT_TRUE(StandsAside(backup));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  EXPECT_FALSE(StandsAside(backup));
  // Nobody moves when the agents are there.
  lab().MustRun({"agent", backup, "start"});
  lab().MustRun({"revive", master});
  AwaitReady();
  EXPECT_EQ(lab().Master(), backup);
}

TEST_F(Boot, AStaleNodeThatIsAloneServesAfterItsGateAndSaysHowOldItIs) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustRun({"kill", master});
  lab().MustRun({"kill", backup});
  lab().MustRun({"revive", backup});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return absl::StrContains(Message(backup), "serves"); }));
  EXPECT_THAT(Message(backup), testing::StartsWith("RED master since term"));
  EXPECT_THAT(Message(backup), HasSubstr("serves with what it has: it was last synchronised at"));
  lab().MustRun({"revive", master});
  AwaitReady();
  EXPECT_THAT(Message(backup), testing::StartsWith("GREEN"));
}

TEST_F(Boot, AMaintenanceStaysOneWithoutAnAgentToo) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustExec(backup, {"zctl", "maintenance", "enter"});
  lab().MustRun({"kill", backup});
  lab().MustRun({"revive", backup, "--without-agent"});
  lab().MustRun({"kill", master});
  EXPECT_FALSE(WaitUntil(kGate + absl::Seconds(5), [&] { return lab().HoldsAll(backup); }));
  EXPECT_TRUE(StandsAside(backup));
  lab().MustRun({"agent", backup, "start"});
  lab().MustRun({"revive", master});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(master); }));
  const Outcome back = lab().Exec(backup, {"zctl", "maintenance", "start"});
  EXPECT_EQ(back.code, 0) << back.out << back.err;
  AwaitReady();
}

}  // namespace
}  // namespace zcluster::lab
