// SPDX-License-Identifier: Apache-2.0
#include "agent/core/facts.h"

#include <string>
#include <utility>

#include "agent/core/readiness.h"
#include "agent/core/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/agent/core/bench.h"

namespace zcluster::core {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const absl::Time kWall = absl::FromUnixSeconds(1'700'000'000);

std::vector<Fact> Facts() {
  return {{"version", "0.1.0"},
          {"configuration generation", "4"},
          {"sysctl net.ipv4.ip_forward", "1"},
          {"sysctl net.ipv4.ip_nonlocal_bind", "0"},
          {"module nf_nat", "loaded"},
          {"conntrack maximum", "262144"},
          {"conntrack fill", "3"},
          {"network 192.0.2.0/24", "front"},
          {"backend 10.0.0.1:80", "reachable"},
          {"heartbeat", "heard"},
          {"router id", "alone"},
          {"disk free", "1024"},
          {"certificate", "1700086400"},
          {"local connections", "0"}};
}

// The backup of a pair at rest, and what both machines are like.
State AtRest() {
  State state;
  state.config = TestConfig();
  state.role = Role::kBackup;
  state.vrrp = VrrpState::kBackup;
  state.wall = kWall;
  state.conntrack = Synchronised();
  state.peer.connected = true;
  state.peer.clock_ahead = absl::Milliseconds(20);
  state.peer.told = PeerAs(Role::kMaster, 1, 1);
  state.facts = state.peer.told->facts = Facts();
  return state;
}

TEST(LinkAddresses, LostOnesAreAWarningThatTheNodeShows) {
  State state;
  state.config = TestConfig();
  state.role = Role::kMaster;
  state.vrrp = VrrpState::kMaster;
  state.conntrack = Synchronised();
  state.peer.connected = true;
  state.peer.told = PeerAs(Role::kBackup, 0, 0);
  state.facts = {{"link 10.30.0.2:7700", "reachable"}, {"link 192.0.2.10:7700", "reachable"}};
  EXPECT_EQ(LinkWarning(state), "");
  const std::string well = LocalNode(state).message;
  state.facts[0].value = "no answer";
  const std::string warning = "node1 does not reach node2 at 10.30.0.2:7700: no answer";
  EXPECT_EQ(LinkWarning(state), warning);
  EXPECT_EQ(LocalNode(state).message, well + "; warning: " + warning);
  EXPECT_EQ(LocalNode(state).status, Status::kGreen);
  EXPECT_THAT(NotReady(state), IsEmpty());
  bool listed = false;
  for (const Precondition& each : Preconditions(state)) {
    listed |= each.name == "link 10.30.0.2:7700" && each.node == "node1" && each.met &&
              each.warning && each.evidence == warning;
  }
  EXPECT_TRUE(listed);
  state.peer.connected = false;
  EXPECT_EQ(LinkWarning(state), "") << "the link itself says more";
}

TEST(Admission, OfALinkThatIsDownIsNeeded) {
  State state;
  state.config = TestConfig();
  state.facts = {{"admission link", "chain x drops the link"}};
  EXPECT_THAT(NotReady(state), testing::Contains("on node1 chain x drops the link"));
}

std::string& Value(std::vector<Fact>& facts, const std::string& name) {
  for (Fact& fact : facts) {
    if (fact.name == name) return fact.value;
  }
  facts.push_back({name, ""});
  return facts.back().value;
}
std::string& Here(State& state, const std::string& name) { return Value(state.facts, name); }
std::string& There(State& state, const std::string& name) {
  return Value(state.peer.told->facts, name);
}

TEST(Facts, OfAPairAtRestAreAllMetAndNoneIsWorthALook) {
  const State state = AtRest();
  EXPECT_THAT(NotReady(state), IsEmpty());
  EXPECT_GE(FactPreconditions(state).size(), 15u);
  for (const Precondition& each : FactPreconditions(state)) {
    EXPECT_TRUE(each.met) << each.evidence;
    EXPECT_FALSE(each.warning) << each.evidence;
    EXPECT_FALSE(each.evidence.empty()) << each.name;
  }
}

TEST(Facts, ThatAnOlderPeerDoesNotTellAreNotAskedOfIt) {
  State state = AtRest();
  state.peer.told->facts.clear();
  Here(state, "sysctl net.ipv4.ip_forward") = "0";
  EXPECT_THAT(NotReady(state), IsEmpty());
  state.facts.clear();
  state.peer.clock_ahead.reset();
  EXPECT_THAT(FactPreconditions(state), IsEmpty());
}

struct Case {
  const char* name;
  void (*broken)(State&);
  const char* precondition;
  bool met;  // it is worth a look only
  const char* evidence;
};

class Names : public testing::TestWithParam<Case> {};

TEST_P(Names, WhatIsBroken) {
  State state = AtRest();
  GetParam().broken(state);
  int found = 0;
  for (const Precondition& each : FactPreconditions(state)) {
    if (each.met && !each.warning) continue;
    ++found;
    EXPECT_EQ(each.name, GetParam().precondition);
    EXPECT_EQ(each.met, GetParam().met);
    EXPECT_EQ(each.warning, GetParam().met);
    EXPECT_EQ(each.evidence, GetParam().evidence);
  }
  EXPECT_EQ(found, 1);
  EXPECT_EQ(NotReady(state).empty(), GetParam().met);
}

INSTANTIATE_TEST_SUITE_P(
    Facts, Names,
    testing::Values(
        Case{"Versions", [](State& s) { There(s, "version") = "0.2.0"; }, "version", true,
             "they differ: 0.1.0 on node1, 0.2.0 on node2"},
        Case{"Generation", [](State& s) { Here(s, "configuration generation") = "3"; },
             "configuration", false,
             "the nodes hold different generations of the configuration: 3 on node1, 4 on node2"},
        Case{"Sysctl", [](State& s) { Here(s, "sysctl net.ipv4.ip_forward") = "0"; },
             "sysctl net.ipv4.ip_forward", false,
             "sysctl net.ipv4.ip_forward is 0 on node1, 1 on node2"},
        Case{"Module", [](State& s) { Here(s, "module nf_nat") = "absent"; }, "module nf_nat", true,
             "module nf_nat is absent on node1, loaded on node2"},
        Case{"TableMaximum", [](State& s) { There(s, "conntrack maximum") = "1000"; },
             "conntrack table", true,
             "net.netfilter.nf_conntrack_max is 262144 on node1, 1000 on node2"},
        Case{"TableTooSmall",
             [](State& s) {
               There(s, "conntrack fill") = "50";
               Here(s, "conntrack maximum") = "131072";
             },
             "conntrack table", false,
             "the connections of node2 do not fit into the table of node1: "
             "net.netfilter.nf_conntrack_max is 131072 on node1, 262144 on node2"},
        Case{"TableOfTheMasterSmaller",
             [](State& s) {
               There(s, "conntrack fill") = "50";
               There(s, "conntrack maximum") = "131072";
             },
             "conntrack table", true,
             "net.netfilter.nf_conntrack_max is 262144 on node1, 131072 on node2"},
        Case{"TableWithoutLimit", [](State& s) { Here(s, "conntrack maximum") = "0"; },
             "conntrack table", true,
             "net.netfilter.nf_conntrack_max is 0 on node1, 262144 on node2"},
        Case{"TableFilling", [](State& s) { There(s, "conntrack fill") = "80"; }, "conntrack fill",
             true, "the table of connections of node2 is 80 % full"},
        Case{"TableFull", [](State& s) { Here(s, "conntrack fill") = "95"; }, "conntrack fill",
             false, "the table of connections of node1 is 95 % full; raise nf_conntrack_max"},
        Case{"NetworkOfTheStandby", [](State& s) { Here(s, "network 192.0.2.0/24").clear(); },
             "network 192.0.2.0/24", false,
             "the VIPs' network 192.0.2.0/24 is on no interface of node1 that is up"},
        Case{"NetworkOfBoth",
             [](State& s) {
               Here(s, "network 192.0.2.0/24").clear();
               There(s, "network 192.0.2.0/24").clear();
             },
             "network 192.0.2.0/24", true,
             "the VIPs' network 192.0.2.0/24 is on no interface of either node"},
        Case{"BackendOfTheStandby",
             [](State& s) { Here(s, "backend 10.0.0.1:80") = "Connection refused"; },
             "backend 10.0.0.1:80", false,
             "backend 10.0.0.1:80 is not reachable from node1: Connection refused"},
        Case{"BackendOfBoth",
             [](State& s) {
               Here(s, "backend 10.0.0.1:80") = There(s, "backend 10.0.0.1:80") = "no answer";
             },
             "backend 10.0.0.1:80", true,
             "backend 10.0.0.1:80 is not reachable from either node: no answer"},
        Case{"HeartbeatHere", [](State& s) { Here(s, "heartbeat") = "silent"; }, "heartbeat", false,
             "node1 hears no heartbeat (IP protocol 112) of node2; a packet filter or the network "
             "between them drops it"},
        Case{"HeartbeatThere", [](State& s) { There(s, "heartbeat") = "silent"; }, "heartbeat",
             false,
             "node2 hears no heartbeat (IP protocol 112) of node1; a packet filter or the network "
             "between them drops it"},
        Case{"StrangerHere",
             [](State& s) { Here(s, "router id") = "192.0.2.77 sends adverts, too"; }, "router id",
             true,
             "192.0.2.77 sends adverts, too, as node1 hears; give one of the two another id "
             "(vrrp.router_id)"},
        Case{"FilteredHere",
             [](State& s) {
               s.facts.push_back({"admission heartbeat", "chain x drops VRRP"});
             },
             "admission heartbeat", false, "on node1 chain x drops VRRP"},
        Case{"LinkFilteredOnOneOfItsAddresses",
             [](State& s) {
               s.facts.push_back({"admission link", "chain x drops the link"});
             },
             "admission link", true, "on node1 chain x drops the link"},
        Case{"DiskFull", [](State& s) { Here(s, "disk free") = "7"; }, "disk", false,
             "7 MiB are free for the agent's state on node1; it needs 8"},
        Case{"DiskFilling", [](State& s) { There(s, "disk free") = "63"; }, "disk", true,
             "63 MiB are free for the agent's state on node2"},
        Case{"Certificate", [](State& s) { There(s, "certificate") = "1699999999"; }, "certificate",
             true, "the certificate of node2 ended 2023-11-14 22:13 UTC"},
        Case{"LocalConnections", [](State& s) { There(s, "local connections") = "37"; },
             "local connections", true, "37 connections end on node2 itself and will break"},
        Case{"ClockAhead", [](State& s) { s.peer.clock_ahead = absl::Milliseconds(2540); }, "clock",
             true, "the clock of node2 is 2.5s ahead of that of node1"},
        Case{"ClockBehind", [](State& s) { s.peer.clock_ahead = -absl::Minutes(2); }, "clock", true,
             "the clock of node2 is 2m behind that of node1"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Facts, OnlyTheStandbyMustReachWhatIsServed) {
  State state = AtRest();
  There(state, "backend 10.0.0.1:80") = "Connection refused";  // the master
  There(state, "network 192.0.2.0/24").clear();
  EXPECT_THAT(NotReady(state), IsEmpty());
  state.role = Role::kMaster;
  state.peer.told->role = Role::kBackup;
  EXPECT_EQ(NotReady(state).size(), 2u);
}

TEST(Facts, AreToldToThePeer) {
  Bench bench;
  bench.BecomeReadyMaster().Tell(FactsReported{Facts()});
  ASSERT_TRUE(bench.Last<SendState>().has_value());
  EXPECT_EQ(bench.Last<SendState>()->state.facts, Facts());
  bench.Tell(FactsReported{Facts()});
  EXPECT_FALSE(bench.Last<SendState>().has_value()) << "nothing is new";
}

TEST(Facts, ThePeersClockIsReadFromWhatItSays) {
  Bench bench;
  bench.BecomeReadyMaster().Pass(absl::Seconds(1));
  NodeState peer = PeerAs(Role::kBackup, 0, 1);
  peer.wall = bench.wall() + absl::Seconds(30);
  bench.Tell(PeerReported{peer}).Pass(absl::Seconds(1));
  const auto shown = bench.Ever<Publish>();
  ASSERT_TRUE(shown.has_value());
  std::string evidence;
  for (const Precondition& each : shown->view.readiness) {
    if (each.name == "clock") evidence = each.evidence;
  }
  EXPECT_THAT(evidence, HasSubstr("30s ahead"));
}

}  // namespace
}  // namespace zcluster::core
