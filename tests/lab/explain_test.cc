// SPDX-License-Identifier: Apache-2.0
// After a change of the master, `zctl explain` says why, how long each step took and what it cost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

class Explain : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("explain"); }

  // The last change of the master, as `node` explains it.
  static YAML::Node Explained(const std::string& node) {
    return ParseJson(lab().Read(node, {"zctl", "explain", "-o", "json"}));
  }
  static YAML::Node Step(const YAML::Node& explained, const std::string& name) {
    for (const YAML::Node& step : explained["steps"]) {
      if (step["name"].as<std::string>() == name) return step;
    }
    ADD_FAILURE() << "no step " << name << " in:\n" << explained;
    return YAML::Load("{took_ms: -1}");
  }
  // In ms; -1: not known.
  static double Took(const YAML::Node& explained, const std::string& name) {
    for (const YAML::Node& step : explained["steps"]) {
      if (step["name"].as<std::string>() == name) return step["took_ms"].as<double>(-1);
    }
    return -1;
  }
  static std::string Text(const YAML::Node& explained, const char* field) {
    return explained[field].as<std::string>("");
  }
};

TEST_F(Explain, APowerCutByTheSurvivor) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(50);
  AwaitReplicated(master, 50);
  lab().MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  // The connections go on, so a packet to a VIP comes soon.
  ASSERT_TRUE(WaitUntil(kLong, [&] {
    const YAML::Node told = Explained(backup);
    return Text(told, "from") == master && Took(told, "first packet") >= 0;
  })) << Explained(backup);

  const YAML::Node explained = Explained(backup);
  EXPECT_EQ(Text(explained, "kind"), "failover");
  EXPECT_EQ(Text(explained, "cause"), "adverts_stopped");
  EXPECT_EQ(Text(explained, "to"), backup);
  EXPECT_EQ(explained["term"].as<int64_t>(), Term(backup));
  // Three adverts of 100 ms are missed; how much longer it took is the machine's.
  EXPECT_GT(Step(explained, "detection")["took_ms"].as<double>(), 200);
  EXPECT_EQ(Step(explained, "detection")["what"].as<std::string>(),
            "the last advert of the old master, until keepalived took over");
  EXPECT_GE(Step(explained, "vip")["took_ms"].as<double>(), 0);
  EXPECT_TRUE(Step(explained, "recovery")["took_ms"].IsNull());
  EXPECT_GE(explained["connections"]["forwarded_lived"].as<int>(), 50);
  EXPECT_GE(explained["connections"]["ended_on_node_broke"].as<int>(-1), 0);
  EXPECT_THAT(explained["lacks"][0].as<std::string>(""),
              HasSubstr(master + " cannot be asked for its events"));

  // The node that comes back had it on its disk, and closes the story.
  lab().MustRun({"revive", master});
  AwaitReady();
  const YAML::Node after = Explained(master);
  EXPECT_GT(Step(after, "recovery")["took_ms"].as<double>(), 0);
  EXPECT_EQ(after["lacks"].size(), 0u) << after;
  const std::string events = lab().Read(backup, {"zctl", "events", "--since", "1h"});
  EXPECT_THAT(events, HasSubstr(master + "  agent_started"));
  EXPECT_THAT(events, HasSubstr(backup + "  promoted"));
}

TEST_F(Explain, AnOperatorsSwitchover) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(50);
  AwaitReplicated(master, 50);
  lab().MustExec(backup, {"zctl", "switchover", "--reason", "new disk"});
  AwaitReady();

  for (const std::string& node : {master, backup}) {
    const YAML::Node explained = Explained(node);
    EXPECT_EQ(Text(explained, "kind"), "switchover") << explained;
    EXPECT_EQ(Text(explained, "by"), "root");
    EXPECT_EQ(Text(explained, "reason"), "new disk");
    EXPECT_EQ(Text(explained, "from"), master);
    EXPECT_EQ(Text(explained, "to"), backup);
    EXPECT_GE(Step(explained, "barrier")["took_ms"].as<double>(), 0);
    const YAML::Node election = Step(explained, "election");
    EXPECT_GT(election["took_ms"].as<double>(), -election["uncertainty_ms"].as<double>());
    EXPECT_GE(explained["connections"]["forwarded_lived"].as<int>(), 50);
    EXPECT_EQ(explained["lacks"].size(), 0u) << explained;
    // Both nodes' machines have one clock here.
    const YAML::Node other = explained["nodes"][1];
    EXPECT_LE(std::abs(other["clock_ahead_ms"].as<double>()),
              other["clock_uncertainty_ms"].as<double>() + 1);
  }
}

}  // namespace
}  // namespace zcluster::lab
