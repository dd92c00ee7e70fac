// SPDX-License-Identifier: Apache-2.0
// The master loses its power under load: every connection goes on, byte for byte. And the control
// run: the same with replication off loses them, so the first proves what it says.
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class PowerCut : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("powercut"); }
};

TEST_F(PowerCut, AllConnectionsGoOn) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(200), connections6 = Hold(20, "[fd10::100]"), probe = Probe();
  AwaitReplicated(master, 220);
  const int64_t term = Term(backup);

  lab().MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  AwaitAnswers(probe);
  ExpectAllAlive(connections, 200);
  ExpectAllAlive(connections6, 20);
  const double outage = probe.Stop()["outage_ms"].as<double>();
  RecordProperty("outage_ms", std::to_string(outage));
  EXPECT_GT(outage, 150);   // an advert of 100 ms must be missed three times
  EXPECT_LT(outage, 2000);  // far beyond that: not what keepalived promises
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().Node(backup, "local").role == "MASTER"; }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return Term(backup) > term; }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().Node(backup, "remote").status == "GREY"; }))
      << "the dead node is not said to be unreachable";
  EXPECT_EQ(Requests(50).Stop()["failed"].as<int>(), 0);

  int code = -1;
  connections.Stop(&code);
  EXPECT_EQ(code, 0);
  lab().MustRun({"revive", master});
}

class PowerCutWithoutReplication : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("control", {"--no-replication"}); }
};

TEST_F(PowerCutWithoutReplication, LosesTheConnections) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(50), probe = Probe();
  lab().MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  AwaitAnswers(probe);
  connections.Mark();
  Traffic requests = Requests(50);
  ASSERT_TRUE(WaitUntil(kLong, [&] { return requests.Report()["ok"].as<int>() > 150; }));
  EXPECT_EQ(connections.Stop()["moved_since_mark"].as<int>(), 0);
}

}  // namespace
}  // namespace zcluster::lab
