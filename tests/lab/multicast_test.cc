// SPDX-License-Identifier: Apache-2.0
// A pair whose adverts go to VRRP's group: it fails over as any other, and whoever else uses its
// router id on that network is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/advert.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Multicast : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("multicast", {"--multicast"}); }

  static std::string ConfigOf(const std::string& node) {
    return lab().Read(node, {"cat", "/var/lib/zcluster/heartbeat/keepalived.conf"});
  }
  // What `zctl readiness` says of the router id, as that node has it.
  static std::string RouterId(const std::string& node) {
    const YAML::Node list =
        ParseJson(lab().Exec(node, {"zctl", "readiness", "-o", "json"}).out)["readiness"];
    std::string said;
    for (const YAML::Node& each : list) {
      if (each["name"].as<std::string>("") == "router id")
        absl::StrAppend(&said, each["evidence"].as<std::string>(""), "\n");
    }
    return said;
  }
};

TEST_F(Multicast, APowerCutASwitchoverAndTheReturnLoseNothing) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  EXPECT_THAT(ConfigOf(master), AllOf(HasSubstr("mcast_src_ip"), Not(HasSubstr("unicast"))));
  Traffic connections = Hold(20);
  AwaitReplicated(master, 20);
  lab().MustRun({"kill", master});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }));
  ExpectAllAlive(connections, 20);
  lab().MustRun({"revive", master});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(backup)) << "the one that returned took over";
  lab().MustExec(backup, {"zctl", "switchover"});
  EXPECT_TRUE(lab().HoldsAll(master));
  ExpectAllAlive(connections, 20);
}

TEST_F(Multicast, AStrangerOfTheSameRouterIdIsNamedAndMovesNothing) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const int64_t term = Term(master);
  const auto forge = [] {
    lab().MustExec("client", {"perl", "-e", kForgeAdverts, "10.10.0.10", "224.0.0.18", "51", "20"});
  };
  for (const std::string& node : {master, backup})
    EXPECT_THAT(RouterId(node), HasSubstr("no other router uses the pair's router id"));
  const std::string named = "10.10.0.10 on front sends VRRP adverts of router id 51, too";
  // It goes on speaking until both have told.
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    forge();
    const std::string said = RouterId(master);
    return said.find(named + ", as node1 hears") != std::string::npos &&
           said.find(named + ", as node2 hears") != std::string::npos;
  })) << RouterId(master);
  EXPECT_THAT(lab().Read(backup, {"zctl", "events"}), HasSubstr("router_id_in_use"));
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_EQ(Term(master), term);
  AwaitReady();
}

TEST_F(Multicast, IsTurnedOffAndOnWithoutAConnectionLost) {
  Traffic connections = Hold(20);
  AwaitReplicated(lab().Master(), 20);
  EXPECT_EQ(lab().Exec("node1", {"zctl", "cluster", "configure", "--multicast", "no"}).code, 6)
      << "it was not asked whether that may disturb";
  lab().MustExec("node1", {"zctl", "cluster", "configure", "--multicast", "no", "--yes"});
  for (const char* node : {"node1", "node2"})
    EXPECT_THAT(ConfigOf(node), HasSubstr("unicast_src_ip"));
  AwaitReady();
  EXPECT_THAT(lab().Read("node2", {"zctl", "cluster", "describe"}), HasSubstr("unicast"));
  lab().MustExec("node2", {"zctl", "cluster", "configure", "--multicast", "yes", "--yes"});
  AwaitReady();
  for (const char* node : {"node1", "node2"})
    EXPECT_THAT(ConfigOf(node), HasSubstr("mcast_src_ip"));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(lab().Master()); }));
  ExpectAllAlive(connections, 20);
}

}  // namespace
}  // namespace zcluster::lab
