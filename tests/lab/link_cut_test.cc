// SPDX-License-Identifier: Apache-2.0
// The agents no longer hear each other while VRRP lives: no failover, and both say that they would
// not be ready for one.
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

class LinkCut : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("linkcut"); }
  void TearDown() override {
    lab().MustRun({"heal"});
    Scenario::TearDown();
  }
};

TEST_F(LinkCut, WithVrrpAliveIsNoFailover) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const int64_t term = Term(master);
  const int moves = Transitions(master) + Transitions(backup);
  Traffic connections = Hold(50);
  AwaitReplicated(master, 50);

  lab().MustRun({"cut", "node1", "node2", "--only", "link"});
  for (const std::string& node : {master, backup}) {
    EXPECT_TRUE(WaitUntil(kLong,
                          [&] {
                            YAML::Node status = lab().Status(node);
                            return status.IsMap() && !status["link"]["up"].as<bool>() &&
                                   !status["ready"].as<bool>();
                          }))
        << node << " does not say that the link is down and the pair not ready";
  }
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return !lab().Status(master)["conntrack"]["synchronised"].as<bool>();
  })) << "replication is not marked stale";
  EXPECT_NE(lab().Node(backup, "local").status, "GREEN");
  EXPECT_EQ(lab().Node(master, "remote").status, "GREY");
  EXPECT_TRUE(lab().HoldsAll(master));

  Traffic more = Hold(10);  // made while nothing is replicated
  lab().MustRun({"heal"});
  AwaitReady();
  AwaitReplicated(master, 60);
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_EQ(Term(master), term);
  EXPECT_EQ(Transitions(master) + Transitions(backup), moves) << "VRRP changed its state";

  lab().MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  ExpectAllAlive(connections, 50);
  ExpectAllAlive(more, 10);
  lab().MustRun({"revive", master});
}

TEST_F(LinkCut, OfTheWireAloneTakesTheOtherPath) {
  const std::string master = lab().Master();
  const std::string rules =
      "add table netdev zlab_cut; "
      "add chain netdev zlab_cut wire { type filter hook ingress device wire priority -500; }; "
      "add rule netdev zlab_cut wire drop";
  for (const char* node : {"node1", "node2"}) lab().MustExec(node, {"nft", rules});
  AwaitReady();
  Traffic connections = Hold(20);
  AwaitReplicated(master, 20);
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    YAML::Node link = lab().Status(master)["link"];
    return link["up"].as<bool>() && link["address"].as<std::string>().find("10.10.0.") == 0;
  })) << "the link does not use the service network";
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return lab().Node(master, "local").message.find("warning: " + master + " does not reach ") !=
           std::string::npos;
  })) << lab().Node(master, "local").message;
  EXPECT_EQ(lab().Node(master, "local").status, "GREEN");
}

}  // namespace
}  // namespace zcluster::lab
