// SPDX-License-Identifier: Apache-2.0
// Which connections the pair's configuration has replicated, between two kernels.
#include "tests/agent/conntrack/path.h"
#include "tests/agent/conntrack/rule.h"
#include "tests/agent/conntrack/variants.h"

namespace zcluster::conntrack {
namespace {

Options With(FlowRules rules) {
  Options options;
  options.rules = std::move(rules);
  return options;
}

// The backup holds exactly these, and both say so.
void ExpectHeld(Pair& pair, const std::vector<Flow>& flows) {
  std::vector<std::string> expected;
  for (const Flow& flow : flows) expected.push_back(Describe(flow));
  std::sort(expected.begin(), expected.end());
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return Texts(pair.b.netns()) == expected; }))
      << testing::PrintToString(Texts(pair.b.netns())) << "\nexpected "
      << testing::PrintToString(expected);
  EXPECT_FALSE(pair.a.State().differs);
}

const Flow kTcp = Natted(0), kUdp = Plain(Key(IPPROTO_UDP, "198.51.100.7", 1024, "192.0.2.10", 53)),
           kOther = Plain(Key(IPPROTO_UDP, "198.51.100.9", 1024, "192.0.2.10", 123));

TEST(RulesLive, WhatIsSkippedIsReplicatedNeitherBySnapshotNorByEvents) {
  Pair pair(With({{}, {Rule("protocol", "udp", "port", "53")}}));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {kTcp, kUdp}), 0U);
  pair.Appoint(pair.a, 1);
  ExpectHeld(pair, {kTcp});
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, {kUdp}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {kUdp, kOther}), 0U);
  ExpectHeld(pair, {kTcp, kOther});
}

TEST(RulesLive, NothingButWhatIsNamedIsReplicated) {
  Pair pair(With({{Rule("protocol", "tcp"), Rule("source", "198.51.100.9")}, {}}));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {kTcp, kUdp}), 0U);
  pair.Appoint(pair.a, 1);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {kOther}), 0U);
  ExpectHeld(pair, {kTcp, kOther});
}

TEST(RulesLive, AFlowComesAndGoesWithItsStateAndIsWholeWhenItComes) {
  Pair pair(With({{}, {Rule("state", "SYN_SENT", "state", "TIME_WAIT")}}));
  for (Node* node : {&pair.a, &pair.b})
    node->netns().Shell("nft 'table t { ct helper ftp { type \"ftp\" protocol tcp; }; }'");
  pair.Appoint(pair.a, 1);
  const Flow flow = WithHelper(Natted(7), "ftp");
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {InState(flow, TCP_CONNTRACK_SYN_SENT), kTcp}),
            0U);
  ExpectHeld(pair, {kTcp});
  // What packets make of it: no word of its helper, which was told before.
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {InState(Natted(7), TCP_CONNTRACK_ESTABLISHED)}),
            0U);
  ExpectHeld(pair, {kTcp, flow});
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {InState(Natted(7), TCP_CONNTRACK_TIME_WAIT)}),
            0U);
  ExpectHeld(pair, {kTcp});
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, {flow}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {flow}), 0U);
  ExpectHeld(pair, {kTcp, flow});
}

TEST(RulesLive, AMarkThatPacketsSetTakesAFlowOutAndBringsItBackWithItsState) {
  Path path(With({{}, {Rule("mark", "7", "state", "ESTABLISHED")}}));
  Backends backends(path.server, false, SOCK_DGRAM, 0, 9,
                    [](const std::string& packet, const std::string&) { return packet; });
  const UniqueFd listener = Socket(path.server, SOCK_STREAM, 0, At("10.9.0.11", 80));
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const UniqueFd other = Socket(path.server, SOCK_STREAM, 0, At("10.9.0.12", 80));
  ASSERT_EQ(::listen(other.get(), 1), 0);
  path.pair.Appoint(path.pair.a, 1);
  const UniqueFd client = Socket(path.client, SOCK_STREAM, 0, At("10.8.0.7", 40000));
  const End vip = At("10.8.0.100", 80);
  ASSERT_EQ(::connect(client.get(), vip.get(), vip.size), 0);
  const auto marked_as = [&](uint32_t mark) {
    path.pair.a.netns().Shell(absl::StrCat(
        "nft flush chain ip t filt && nft add rule ip t filt tcp dport 80 ct mark set ", mark));
    ASSERT_EQ(::send(client.get(), "x", 1, 0), 1);
  };
  const auto held = [&](uint32_t mark) {
    const auto table = Dump(path.pair.b.netns());
    return std::count_if(table.begin(), table.end(), [&](const auto& at) {
      return at.second.key.protocol == IPPROTO_TCP && at.second.mark == mark &&
             at.second.tcp.state == TCP_CONNTRACK_ESTABLISHED;
    });
  };
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return held(0) == 1; }));
  marked_as(7);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return Texts(path.pair.b.netns()).empty(); }));
  marked_as(8);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return held(8) == 1; }));
  path.pair.ExpectEqual(1);
}

TEST(RulesLive, ChangeWhileBothNodesRun) {
  Pair pair;
  const Flow own = Plain(Key(IPPROTO_UDP, "203.0.113.1", 9, "203.0.113.2", 53));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {kTcp, kUdp, kOther}), 0U);
  pair.Appoint(pair.a, 1);
  ExpectHeld(pair, {kTcp, kUdp, kOther});
  const FlowRules no_dns{{}, {Rule("port", "53")}};
  for (Node* node : {&pair.b, &pair.a}) node->Reconfigure(true, false, no_dns);
  ExpectHeld(pair, {kTcp, kOther});
  // The backup's own is nobody's business.
  ASSERT_EQ(Change(pair.b.netns(), Verb::kCreate, {own}), 0U);
  const FlowRules no_udp{{}, {Rule("protocol", "udp")}};
  for (Node* node : {&pair.b, &pair.a}) node->Reconfigure(true, false, no_udp);
  ExpectHeld(pair, {kTcp, own});
  ASSERT_EQ(Change(pair.b.netns(), Verb::kDelete, {own}), 0U);
  for (Node* node : {&pair.a, &pair.b}) node->Reconfigure(true);
  ExpectHeld(pair, {kTcp, kUdp, kOther});
}

TEST(RulesLive, ManyFlowsThatComeAndGoUnderAStateThatIsSkippedEndEqual) {
  Pair pair(With({{}, {Rule("state", "CLOSE")}}));
  pair.Appoint(pair.a, 1);
  std::vector<Flow> kept;
  for (int round = 0; round < 3; ++round) {
    std::vector<Flow> flows = NattedFlows(3000, "10.1.0.2", round * 3000), closed;
    ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, flows), 0U);
    for (size_t i = 0; i < flows.size(); ++i) {
      if (i % 2 == 0) {
        closed.push_back(InState(flows[i], TCP_CONNTRACK_CLOSE));
      } else {
        kept.push_back(flows[i]);
      }
    }
    ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, closed), 0U);
  }
  ExpectHeld(pair, kept);
}

}  // namespace
}  // namespace zcluster::conntrack
