// SPDX-License-Identifier: Apache-2.0
// What protects the heartbeat: it passes by connection tracking, so that a full table does not drop
// it; strangers' adverts do not arrive; and a packet filter of somebody else's that drops it is
// named, with the rule to add.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/lab/support/advert.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Protection : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("protect"); }

  static std::string AddressOf(const std::string& node) {
    return node == "node1" ? "10.10.0.1" : "10.10.0.2";
  }
  // The evidence of a precondition that is not met, as `zctl readiness` on that node has it.
  static std::string Unmet(const std::string& on, const std::string& name) {
    const YAML::Node list =
        ParseJson(lab().Exec(on, {"zctl", "readiness", "-o", "json"}).out)["readiness"];
    for (const YAML::Node& each : list) {
      if (each["name"].as<std::string>("") == name && !each["met"].as<bool>(true))
        return each["evidence"].as<std::string>("");
    }
    return "";
  }
  static int Number(const std::string& node, const std::string& script) {
    int number = -1;
    const std::string text = lab().Read(node, {"sh", "-c", script});
    return absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &number) ? number : -1;
  }
  // Packets that a rule of that chain, the first one with a counter, has counted.
  static int Counted(const std::string& node, const std::string& chain) {
    return Number(node,
                  absl::StrCat("nft list chain inet ", chain,
                               " | sed -n 's/.*counter packets \\([0-9]*\\).*/\\1/p' | head -1"));
  }
  // Waits until that many adverts have come from the one to the other.
  static void AwaitAdverts(const std::string& from, const std::string& to, int count) {
    lab().MustExec(to,
                   {"nft",
                    "add table inet zlab_count; add chain inet zlab_count in { type filter hook "
                    "input priority 10; }; add rule inet zlab_count in meta l4proto 112 ip saddr " +
                        AddressOf(from) + " counter"});
    EXPECT_TRUE(WaitUntil(kLong, [&] { return Counted(to, "zlab_count in") >= count; }));
    lab().MustExec(to, {"nft", "delete table inet zlab_count"});
  }
  static int Changes() { return Transitions("node1") + Transitions("node2"); }
};

TEST_F(Protection, PassesByConnectionTracking) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  for (const std::string& node : {master, backup}) {
    // From before the node's agent ran.
    lab().Exec(node, {"conntrack", "-D", "-p", "112"});
    lab().MustExec(node, {"ping", "-c1", "-W5", AddressOf(Lab::Peer(node))});
  }
  AwaitAdverts(master, backup, 10);
  for (const std::string& node : {master, backup}) {
    EXPECT_THAT(lab().Read(node, {"conntrack", "-L"}),
                AllOf(HasSubstr("icmp"), Not(HasSubstr(" 112 ")), Not(HasSubstr("vrrp")),
                      Not(HasSubstr("dport=7700"))))
        << node;
  }
}

TEST_F(Protection, HoldsWithAFullTableOfConnections) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const int before = Changes();
  // Flows that are not to be given up for new ones, and that nobody replicates.
  const std::string fill =
      "max=$(cat /proc/sys/net/netfilter/nf_conntrack_max); awk -v n=$max 'BEGIN { for (i = 0; i "
      "<= n + "
      "100; ++i) printf \"-I -p udp -s 127.9.%d.%d -d 127.8.0.%d --sport 9 --dport 9 -t 300 -u "
      "SEEN_REPLY,ASSURED\\n\", i / 256 % 256, i % 256, 1 + i / 65536 }' | conntrack -R -";
  {
    const Background one(lab().ExecArgv(master, {"sh", "-c", fill}));
    const Background other(lab().ExecArgv(backup, {"sh", "-c", fill}));
  }
  for (const std::string& node : {master, backup}) {
    EXPECT_GE(Number(node, "conntrack -C") + 50,
              Number(node, "cat /proc/sys/net/netfilter/nf_conntrack_max"));
    EXPECT_NE(lab().Exec(node, {"ping", "-c1", "-W1", AddressOf(Lab::Peer(node))}).code, 0)
        << "a new connection still finds room: the table is not full";
  }
  AwaitAdverts(master, backup, 30);
  EXPECT_EQ(Changes(), before);
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_EQ(lab().Node(master, "remote").role, "BACKUP") << "the link does not live";
  EXPECT_TRUE(WaitUntil(kLong, [&] { return !Unmet(master, "conntrack fill").empty(); }));

  for (const std::string& node : {master, backup}) lab().MustExec(node, {"conntrack", "-F"});
  AwaitReady();
}

TEST_F(Protection, StrangersAdvertsAreDropped) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const std::string client = std::string(absl::StripAsciiWhitespace(lab().Read(
      "client",
      {"sh", "-c", "ip -4 -o addr show dev front | awk '{sub(\"/.*\",\"\",$4); print $4}'"})));
  const int before = Changes();
  for (const std::string& node : {master, backup}) {
    const int dropped = Counted(node, "zcluster input");
    lab().MustExec("client", {"perl", "-e", kForgeAdverts, client, AddressOf(node), "51", "50"});
    EXPECT_TRUE(WaitUntil(kLong, [&] { return Counted(node, "zcluster input") >= dropped + 50; }))
        << node << "\n"
        << lab().Read(node, {"nft", "list", "table", "inet", "zcluster"});
  }
  EXPECT_EQ(Changes(), before);
  EXPECT_TRUE(lab().HoldsAll(master));
}

TEST_F(Protection, AFilterThatDropsTheHeartbeatIsNamedWithTheRuleToAdd) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  // What the master does not need now, but would miss after a failover.
  lab().MustExec(master, {"nft",
                          "add table ip strict; add chain ip strict in { type filter hook input "
                          "priority 5; }; add rule ip strict in meta l4proto != { tcp, udp, icmp } "
                          "drop"});
  for (const std::string& node : {master, backup}) {
    EXPECT_TRUE(WaitUntil(kLong, [&] { return !Unmet(node, "admission heartbeat").empty(); }))
        << lab().Exec(node, {"zctl", "readiness"}).out;
    EXPECT_THAT(
        Unmet(node, "admission heartbeat"),
        AllOf(HasSubstr("on " + master + " chain in of table ip strict (hook input) drops VRRP"),
              HasSubstr("nft insert rule ip strict in ip saddr " + AddressOf(backup) +
                        " ip protocol 112 accept")));
  }
  const std::string named = Unmet(master, "admission heartbeat");
  lab().MustExec(master, {"sh", "-c", named.substr(named.find("nft insert"))});
  AwaitReady();
  lab().MustExec(master, {"nft", "delete table ip strict"});
}

}  // namespace
}  // namespace zcluster::lab
