// SPDX-License-Identifier: Apache-2.0
// The old master is back after its power cut: under KEEP nothing moves by itself, it synchronises
// under load, and the next power cut, of the new master, loses nothing either.
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class ReturnOfMaster : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("return"); }
};

TEST_F(ReturnOfMaster, MovesNothingAndIsReadyForTheNextCut) {
  const std::string first = lab().Master(), second = Lab::Peer(first);
  Traffic connections = Hold(100);
  AwaitReplicated(first, 100);
  const int64_t before = Term(first);
  lab().MustRun({"kill", first});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(second); }));
  ExpectAllAlive(connections, 100);
  // It says MASTER while it asks its peer, too; the takeover holds once it has a term.
  ASSERT_TRUE(WaitUntil(kLong, [&] { return Term(second) > before; }));
  const int64_t term = Term(second);
  const int moves = Transitions(second);

  Traffic probe = Probe(), meanwhile = Hold(100), requests = Requests(200);
  lab().MustRun({"revive", first});
  AwaitReady();
  AwaitReplicated(second, 200);
  // Four hundred requests more, about two seconds: whatever would preempt has had twenty adverts'
  // time.
  const int so_far = requests.Report()["ok"].as<int>();
  ASSERT_TRUE(WaitUntil(kLong, [&] { return requests.Report()["ok"].as<int>() > so_far + 400; }));
  YAML::Node report = requests.Stop();
  EXPECT_EQ(report["failed"].as<int>(), 0) << report;
  EXPECT_TRUE(lab().HoldsAll(second));
  EXPECT_EQ(lab().Node(first, "local").role, "BACKUP");
  EXPECT_EQ(Term(second), term);
  EXPECT_EQ(Term(first), term);
  EXPECT_EQ(Transitions(second), moves) << "the new master was disturbed";
  EXPECT_LT(probe.Stop()["outage_ms"].as<double>(), 100);

  lab().MustRun({"kill", second});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(first); }));
  ExpectAllAlive(connections, 100);
  ExpectAllAlive(meanwhile, 100);
  lab().MustRun({"revive", second});
}

}  // namespace
}  // namespace zcluster::lab
