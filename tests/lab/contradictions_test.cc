// SPDX-License-Identifier: Apache-2.0
// VRRP and the link say different things of the master: the standby hears no adverts, or no clients
// can reach the master, while the agents talk over a wire of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

class Contradictions : public Scenario {
 protected:
  static void SetUpTestSuite() {
    Raise("contra");
    if (!raised()) return;
    // A gateway, which shows a node that its port to the clients lives.
    for (const char* node : {"node1", "node2"})
      lab().MustExec(node, {"ip", "route", "add", "default", "via", "10.10.0.10"});
  }
  // A link that broke comes back over any of its ways, the first that answers. Here it shall run
  // over the wire, which the clients' network does not touch.
  void SetUp() override {
    Scenario::SetUp();
    if (!raised() || HasFatalFailure()) return;
    const auto over_wire = [] {
      const YAML::Node status = YAML::Load(lab().Read("node1", {"zctl", "status", "-o", "json"}));
      return absl::StartsWith(status["link"]["address"].as<std::string>(""), "10.30.");
    };
    ASSERT_TRUE(WaitUntil(kLong, [&] {
      if (over_wire()) return true;
      lab().MustRun({"agent", Lab::Peer(lab().Master()), "restart"});
      AwaitReady();
      return over_wire();
    }));
  }
  void TearDown() override {
    lab().MustRun({"heal"});
    for (const char* machine : {"node1", "node2", "client", "backend1", "backend2"})
      lab().Exec(machine, {"sh", "-c", "nft delete table netdev contra 2>/dev/null || true"});
    Scenario::TearDown();
  }

  // Adds a rule to what comes in at a card of `machine`.
  static void Filter(const std::string& machine, const std::string& rule,
                     const std::string& card = "front") {
    lab().MustExec(machine, {"nft", IngressRule(card, rule)});
  }
  static std::string IngressRule(const std::string& card, const std::string& rule) {
    return absl::StrCat("add table netdev contra; add chain netdev contra ", card,
                        " { type filter hook ingress device ", card,
                        " priority -400; }; add rule netdev contra ", card, " ", rule);
  }
  // Matches the frames of a node's card.
  static std::string From(const std::string& node, const std::string& card) {
    return absl::StrCat("ether saddr ", absl::StripAsciiWhitespace(lab().Read(
                                            node, {"cat", "/sys/class/net/" + card + "/address"})));
  }
  static std::string LogOf(const std::string& node) {
    return lab().Read(node, {"cat", "/var/log/zcluster/agent.log"});
  }
};

// What is cut, from the standby's side.
struct Cut {
  const char* name;
  bool from_master;
  bool to_master;
};

class VrrpCut : public Contradictions, public testing::WithParamInterface<Cut> {};

TEST_P(VrrpCut, LeavesTheMasterWhereItIs) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const int64_t term = Term(master);
  Traffic connections = Hold(20);
  AwaitReplicated(master, 20);
  if (GetParam().from_master) lab().MustRun({"cut", master, backup, "--one-way", "--only", "vrrp"});
  if (GetParam().to_master) lab().MustRun({"cut", backup, master, "--one-way", "--only", "vrrp"});
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return lab().Node(backup, "local").message.find("adverts of " + master) != std::string::npos;
  })) << "the standby does not say that it hears no adverts";
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(master); }));
  EXPECT_EQ(lab().Node(backup, "local").status, "RED");
  EXPECT_EQ(Term(master), term) << "a takeover that was given back raised the term";
  EXPECT_THAT(LogOf(backup), HasSubstr("takeover_refuted"));
  lab().MustRun({"heal"});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_EQ(Term(master), term);
  ExpectAllAlive(connections, 20);
}

INSTANTIATE_TEST_SUITE_P(Contradictions, VrrpCut,
                         testing::Values(Cut{"BothWays", true, true},
                                         Cut{"FromTheMasterAlone", true, false}),
                         [](const auto& given) { return given.param.name; });

// Each serves, and somebody changes a file on each.
TEST_F(Contradictions, ASplitEndsWithOneMasterAndKeepsAsideWhatTheOtherChanged) {
  const std::string old_master = lab().Master(), promoted = Lab::Peer(old_master);
  const std::string file = "/etc/haproxy/changed-in-a-split.cfg";
  const int64_t term = Term(old_master);
  lab().MustRun({"cut", "node1", "node2"});
  // The takeover holds once it has a term.
  ASSERT_TRUE(WaitUntil(kLong, [&] { return Term(promoted) > term; }));
  EXPECT_EQ(lab().Node(old_master, "local").role, "MASTER");
  lab().MustExec(old_master, {"sh", "-c", "echo by the old master >" + file});
  lab().MustExec(promoted, {"sh", "-c", "echo by the promoted one >" + file});
  lab().MustRun({"heal"});
  AwaitReady();
  // The later term wins: the clients have followed it.
  EXPECT_EQ(lab().Master(), promoted);
  EXPECT_EQ(lab().Read(old_master, {"cat", file}), "by the promoted one\n");
  const YAML::Node kept =
      YAML::Load(lab().Read(old_master, {"zctl", "conflicts", "-o", "json"}))["conflicts"];
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0]["root"].as<std::string>(), "/etc/haproxy");
  ASSERT_EQ(kept[0]["files"].size(), 1u);
  EXPECT_EQ(lab().Read(old_master, {"cat", kept[0]["files"][0].as<std::string>()}),
            "by the old master\n");
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return absl::StrContains(lab().Exec(promoted, {"zctl", "readiness"}).out, "zctl conflicts");
  }));
  lab().MustExec(old_master, {"zctl", "conflicts", "--drop", kept[0]["id"].as<std::string>()});
  EXPECT_EQ(lab().Read(promoted, {"zctl", "conflicts"}), "nothing is kept aside on this node\n");
}

// One client hears only the one master, another only the other.
TEST_F(Contradictions, ASplitEndsAndConnectionsThatWereOpenedOnEitherSideLive) {
  const std::string old_master = lab().Master(), promoted = Lab::Peer(old_master);
  const int64_t term = Term(old_master);
  Traffic before = Hold(20);
  AwaitReplicated(old_master, 20);
  // A client and a backend on each side, which hear nothing from the other side's node.
  lab().MustExec("client",
                 {"sh", "-c",
                  "ip netns add other && "
                  "ip link add other link front netns other address 02:00:00:00:00:20 type macvlan "
                  "mode bridge && "
                  "ip -n other addr add 10.10.0.20/24 dev other && ip -n other link set other up"});
  // The other client's frames come through this card as well.
  Filter("client", From(promoted, "front") + " ether daddr != 02:00:00:00:00:20 drop");
  lab().MustExec("client", {"ip", "netns", "exec", "other", "nft",
                            IngressRule("other", From(old_master, "front") + " drop")});
  Filter("backend1", From(promoted, "back") + " drop", "back");
  Filter("backend2", From(old_master, "back") + " drop", "back");
  lab().MustRun({"cut", "node1", "node2"});
  for (const auto& [node, backend] :
       {std::pair(old_master, "10.20.0.11"), {promoted, "10.20.0.12"}}) {
    lab().MustExec(node,
                   {"nft", absl::StrCat("add table ip contra; add chain ip contra pre { type nat "
                                        "hook prerouting priority -110; }; add rule ip contra "
                                        "pre ip daddr 10.10.0.100 tcp dport 80 dnat to ",
                                        backend, ":8080")});
  }
  ASSERT_TRUE(WaitUntil(kLong, [&] { return Term(promoted) > term; }));
  Traffic at_old = Hold(30);
  Traffic at_promoted = Hold(30, "10.10.0.100", "other");
  EXPECT_EQ(lab().Node(old_master, "local").role, "MASTER");
  for (const char* machine : {"client", "backend1", "backend2"})
    lab().MustExec(machine, {"nft", "delete table netdev contra"});
  lab().MustExec("client", {"ip", "netns", "exec", "other", "nft", "delete table netdev contra"});
  for (const std::string& node : {old_master, promoted})
    lab().MustExec(node, {"nft", "delete table ip contra"});
  lab().MustRun({"heal"});
  AwaitReady();
  EXPECT_EQ(lab().Master(), promoted);
  ExpectAllAlive(before, 20);
  ExpectAllAlive(at_promoted, 30);
  ExpectAllAlive(at_old, 30);
  // And once more, at the node that has been given all of them.
  AwaitReplicated(promoted, 80);
  lab().MustExec(promoted, {"zctl", "switchover"});
  EXPECT_TRUE(lab().HoldsAll(old_master));
  ExpectAllAlive(before, 20);
  ExpectAllAlive(at_promoted, 30);
  ExpectAllAlive(at_old, 30);
  lab().MustExec("client", {"ip", "netns", "del", "other"});
}

TEST_F(Contradictions, AVrrpCutToTheMasterAloneMovesNothing) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const int moves = Transitions(master) + Transitions(backup);
  lab().MustRun({"cut", backup, master, "--one-way", "--only", "vrrp"});
  Traffic connections = Hold(10);
  AwaitReplicated(master, 10);
  EXPECT_TRUE(lab().HoldsAll(master));
  EXPECT_EQ(Transitions(master) + Transitions(backup), moves);
}

TEST_F(Contradictions, AMasterWhosePortIsDarkIsSucceededAlthoughTheWireLives) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const int64_t term = Term(master);
  Traffic connections = Hold(20);
  AwaitReplicated(master, 20);
  // The carrier stays, so that no interface tells.
  const std::string mac = From(master, "front");
  Filter(backup, mac + " drop");
  Filter("client", mac + " drop");
  Filter(master, "drop");
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(backup); }))
      << "the master with the dark port was not succeeded";
  EXPECT_TRUE(WaitUntil(kLong, [&] { return Term(master) > term; })) << "it was not told";
  ExpectAllAlive(connections, 20);
  EXPECT_THAT(LogOf(backup), HasSubstr("no gateway and no backend answers on front"));
  // It would take over again, hearing no adverts; but the new master serves.
  EXPECT_TRUE(WaitUntil(kLong, [&] {
    return LogOf(master).find("takeover_refuted") != std::string::npos && lab().HoldsAll(backup);
  }));
  for (const std::string& machine : {backup, master, std::string("client")})
    lab().MustExec(machine, {"nft", "delete table netdev contra"});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(backup));
}

TEST_F(Contradictions, AWireThatLosesPacketsMovesNothing) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  const int64_t term = Term(master);
  Traffic connections = Hold(10);
  AwaitReplicated(master, 10);
  for (const std::string& node : {master, backup}) {
    Filter(node, "meta l4proto 112 numgen random mod 100 < 30 drop");
    // The agents' link, too, on its own wire.
    Filter(node, "meta l4proto tcp numgen random mod 100 < 10 drop", "wire");
  }
  Traffic probe = Probe();
  EXPECT_TRUE(WaitUntil(kLong, [&] { return probe.Report()["sent"].as<int>(0) > 15'000; }));
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().HoldsAll(master); }));
  EXPECT_EQ(Term(master), term) << "a takeover held although the master served";
  for (const std::string& node : {master, backup})
    lab().MustExec(node, {"nft", "delete table netdev contra"});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(master));
  ExpectAllAlive(connections, 10);
}

}  // namespace
}  // namespace zcluster::lab
