// SPDX-License-Identifier: Apache-2.0
// Under PREFERRED the preferred node, back from a power cut, takes over again by itself, under
// load: not before it holds every connection, those made meanwhile included, and so that no request
// fails.
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class Failback : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("failback", {"--failback", "PREFERRED"}); }
};

TEST_F(Failback, OfThePreferredNodeLosesNothingUnderLoad) {
  ASSERT_TRUE(WaitUntil(kLong, [] { return lab().HoldsAll("node1"); }));
  AwaitReady();
  Traffic before = Hold(100);
  AwaitReplicated("node1", 100);
  const int64_t served = Term("node1");
  lab().MustRun({"kill", "node1"});
  ASSERT_TRUE(WaitUntil(kLong, [] { return lab().HoldsAll("node2"); }));
  // It says MASTER while it asks its peer, too; the takeover holds once it has a term.
  ASSERT_TRUE(WaitUntil(kLong, [&] { return Term("node2") > served; }));
  ExpectAllAlive(before, 100);
  const int64_t term = Term("node2");

  Traffic meanwhile = Hold(100), requests = Requests(200), probe = Probe();
  lab().MustRun({"revive", "node1"});
  ASSERT_TRUE(WaitUntil(kLong, [] { return lab().HoldsAll("node1"); })) << "it never failed back";
  AwaitReady();
  AwaitAnswers(probe);
  EXPECT_EQ(Term("node1"), term + 1) << "it took over more than once";
  EXPECT_LT(probe.Stop()["outage_ms"].as<double>(), 300);
  YAML::Node report = requests.Stop();
  EXPECT_EQ(report["failed"].as<int>(), 0) << report;
  ExpectAllAlive(before, 100);
  ExpectAllAlive(meanwhile, 100);
}

}  // namespace
}  // namespace zcluster::lab
