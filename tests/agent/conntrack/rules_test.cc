// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/rules.h"

#include "tests/agent/conntrack/netns.h"
#include "tests/agent/conntrack/rule.h"

namespace zcluster::conntrack {
namespace {

struct Case {
  const char* name;
  FlowRule rule;
  bool expected;
};

std::string CaseName(const testing::TestParamInfo<Case>& tested) { return tested.param.name; }

class RuleOf : public testing::TestWithParam<Case> {};

// 198.51.100.7:1025 to the VIP 192.0.2.10:443, served by 10.1.0.2:8443, from 10.1.0.254.
Flow ThroughTheVip() {
  Flow flow = Natted(1);
  flow.mark = 0x15;
  flow.key.zone = 3;
  return flow;
}

TEST_P(RuleOf, AFlowThroughTheVip) {
  const Flow flow = ThroughTheVip();
  const auto& [name, rule, expected] = GetParam();
  EXPECT_EQ(Rules({{}, {rule}}).Take(flow), !expected);
  EXPECT_EQ(Rules({{rule}, {}}).Take(flow), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Rules, RuleOf,
    testing::Values(
        Case{"ByProtocol", Rule("protocol", "tcp"), true},
        Case{"NotByAnotherProtocol", Rule("protocol", "udp"), false},
        Case{"ByItsClient", Rule("address", "198.51.100.7"), true},
        Case{"ByItsBackend", Rule("address", "10.1.0.2"), true},
        Case{"ByItsNetwork", Rule("address", "198.51.100.0/29"), true},
        Case{"NotByAnotherNetwork", Rule("address", "198.51.100.8/29"), false},
        Case{"ByAnyIPv4", Rule("address", "0.0.0.0/0"), true},
        Case{"NotByIPv6", Rule("address", "::/0"), false},
        Case{"BySource", Rule("source", "198.51.100.7"), true},
        Case{"NotByTheSourceOfItsAnswers", Rule("source", "10.1.0.2"), false},
        Case{"ByTheSourceOfItsAnswersIfTheyAreMeant",
             Rule("source", "10.1.0.2", "direction", "REPLY"), true},
        Case{"ByDestination", Rule("destination", "192.0.2.0/24"), true},
        Case{"NotByTheDestinationOfItsAnswers", Rule("destination", "10.1.0.254"), false},
        Case{"ByAnEndOfThatDirection", Rule("address", "192.0.2.10", "direction", "ORIGINAL"),
             true},
        Case{"NotByAnEndOfTheOther", Rule("address", "192.0.2.10", "direction", "REPLY"), false},
        Case{"ByPort", Rule("port", "443"), true},
        Case{"ByThePortOfItsBackend", Rule("port", "8443"), true},
        Case{"NotByThatInTheOtherDirection", Rule("port", "8443", "direction", "ORIGINAL"), false},
        Case{"ByRange", Rule("source_port", "1000-1025"), true},
        Case{"NotBelowItsRange", Rule("source_port", "1026-2000"), false},
        Case{"NotAboveItsRange", Rule("source_port", "1-1024"), false},
        Case{"ByState", Rule("state", "ESTABLISHED"), true},
        Case{"NotByAnotherState", Rule("state", "SYN_SENT"), false},
        Case{"NotAsUnreplied", Rule("state", "UNREPLIED"), false},
        Case{"ByOneOfTwoStates", Rule("state", "UNREPLIED", "state", "ESTABLISHED"), true},
        Case{"ByMark", Rule("mark", "0x15"), true},
        Case{"ByPartOfItsMark", Rule("mark", "0x10/0xf0"), true},
        Case{"NotByNoMark", Rule("mark", "0"), false}, Case{"ByZone", Rule("zone", "3"), true},
        Case{"NotByNoZone", Rule("zone", "0"), false},
        Case{"NotIfOneOfTwoFails", Rule("port", "443", "zone", "4"), false}),
    CaseName);

TEST(Rules, SkipIsSaidLast) {
  const Rules rules({{Rule("protocol", "tcp")}, {Rule("port", "443")}});
  EXPECT_FALSE(rules.Take(ThroughTheVip()));
  EXPECT_TRUE(rules.Take(Plain(Key(IPPROTO_TCP, "10.0.0.1", 1, "10.0.0.2", 80))));
  EXPECT_FALSE(rules.Take(Plain(Key(IPPROTO_UDP, "10.0.0.1", 1, "10.0.0.2", 80))));
}

TEST(Rules, KnowNoPortOfIcmpAndGre) {
  const Rules rules({{}, {Rule("port", "77")}});
  EXPECT_TRUE(rules.Take(Plain(Key(IPPROTO_ICMP, "10.0.0.1", 77, "10.0.0.2", 8 << 8))));
  EXPECT_TRUE(rules.Take(Plain(Key(IPPROTO_GRE, "10.0.0.1", 77, "10.0.0.2", 77))));
  EXPECT_FALSE(rules.Take(Plain(Key(IPPROTO_UDP, "10.0.0.1", 77, "10.0.0.2", 1))));
}

TEST(Rules, WhatMayChangeIsNoReasonForGood) {
  const Flow flow = ThroughTheVip();
  EXPECT_TRUE(Rules({{}, {Rule("state", "ESTABLISHED")}}).MayTake(flow));
  EXPECT_TRUE(Rules({{Rule("mark", "1")}, {}}).MayTake(flow));
  EXPECT_FALSE(Rules({{Rule("mark", "1", "zone", "1")}, {}}).MayTake(flow));
  EXPECT_FALSE(Rules({{}, {Rule("zone", "3")}}).MayTake(flow));
  EXPECT_FALSE(Rules({{}, {Rule("zone", "3")}}).Change());
  EXPECT_TRUE(Rules({{}, {Rule("zone", "3"), Rule("mark", "3")}}).Change());
}

TEST(Rules, AskForTheStateWhereItCounts) {
  Flow flow = ThroughTheVip();
  flow.has_tcp = false;
  EXPECT_FALSE(Rules({{}, {Rule("state", "TIME_WAIT")}}).CanJudge(flow));
  EXPECT_TRUE(Rules({{}, {Rule("mark", "1")}}).CanJudge(flow));
  flow.key.protocol = IPPROTO_UDP;
  EXPECT_TRUE(Rules({{}, {Rule("state", "UNREPLIED")}}).CanJudge(flow));
}

}  // namespace
}  // namespace zcluster::conntrack
