// SPDX-License-Identifier: Apache-2.0
// What only few flows have follows the master's kernel to the backup's.
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

TEST(RareFlows, SctpsStateAndShiftsFollowTheMasters) {
  Pair pair;
  pair.Appoint(pair.a, 1);
  const FlowKey key = Key(IPPROTO_SCTP, "198.51.100.7", 1024, "192.0.2.10", 3868);
  const Flow tcp = Natted(0);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {Sctp(key, 3), tcp}), 0U);
  pair.ExpectEqual(2);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {Sctp(key, 5), WithShift(tcp, 77)}), 0U);
  pair.ExpectEqual(2);
  EXPECT_EQ(Dump(pair.b.netns()).count(Describe(WithShift(tcp, 77))), 1U);
  // An update that says nothing of them leaves them.
  Flow marked = tcp;
  marked.mark = 9;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {marked}), 0U);
  pair.ExpectEqual(2);
  // Another life of the same flow has nothing of the first.
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, {tcp}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {tcp}), 0U);
  pair.ExpectEqual(2);
  EXPECT_EQ(Dump(pair.b.netns()).count(Describe(tcp)), 1U);
}

TEST(RareFlows, LabelsAreReplicatedOnlyWhenAskedForAndThatChangesLive) {
  Pair pair;
  for (Node* node : {&pair.a, &pair.b})
    node->netns().Shell("nft 'table t { chain c { ct label set 1; }; }'");
  pair.Appoint(pair.a, 1);
  const Flow labelled = WithLabels(Natted(0), 2);
  const auto arrives = [&](const Flow& flow) {
    return WaitUntil(Pair::kPatience,
                     [&] { return Dump(pair.b.netns()).count(Describe(flow)) == 1; });
  };
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {labelled}), 0U);
  EXPECT_TRUE(arrives(Natted(0)));
  for (Node* node : {&pair.a, &pair.b}) node->Reconfigure(true, true);
  EXPECT_TRUE(arrives(labelled));
  pair.ExpectEqual(1);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {WithLabels(Natted(0), 4)}), 0U);
  pair.ExpectEqual(1);
  for (Node* node : {&pair.a, &pair.b}) node->Reconfigure(true, false);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {WithLabels(Natted(0), 8)}), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {WithLabels(Natted(1), 8)}), 0U);
  EXPECT_TRUE(arrives(Natted(1)));
  EXPECT_TRUE(arrives(WithLabels(Natted(0), 4))) << "what is not named stays";
}

TEST(RareFlows, WhereNoRuleAsksForLabelsTheRestIsReplicatedNevertheless) {
  Options options;
  options.labels = true;
  Pair pair(options);
  pair.a.netns().Shell("nft 'table t { chain c { ct label set 1; }; }'");
  pair.Appoint(pair.a, 1);
  Flow flow = Natted(0);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {WithLabels(flow, 2)}), 0U);
  flow.mark = 7;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {WithLabels(flow, 4)}), 0U);
  EXPECT_TRUE(
      WaitUntil(Pair::kPatience, [&] { return Dump(pair.b.netns()).count(Describe(flow)) == 1; }));
  EXPECT_EQ(pair.b.State().refused + pair.b.State().differs, 0U);
}

TEST(RareFlows, ARelatedFlowThatTheSnapshotNamesBeforeItsMasterGetsItNevertheless) {
  Pair pair;
  std::vector<Flow> flows;
  for (uint16_t i = 0; i < 50; ++i) {
    const uint16_t port = static_cast<uint16_t>(2000 + i);
    flows.push_back(Plain(Key(IPPROTO_TCP, "198.51.100.7", port, "192.0.2.10", 21)));
    flows.push_back(WithMaster(Plain(Key(IPPROTO_TCP, "192.0.2.10", 20, "198.51.100.7", port)),
                               flows.back().key));
  }
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, flows), 0U);
  pair.Appoint(pair.a, 1);
  pair.ExpectEqual(100);
  // One whose master is no more lives on without, and so do its changes.
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, {flows[0]}), 0U);
  pair.ExpectEqual(99);
  flows[1].tcp.state = TCP_CONNTRACK_FIN_WAIT;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {flows[1]}), 0U);
  pair.ExpectEqual(99);
  pair.b.Reconfigure(false);
  ASSERT_EQ(Change(pair.b.netns(), Verb::kDelete, {flows[1]}), 0U);
  pair.b.Reconfigure(true);
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return pair.b.State().synchronised; }));
  EXPECT_EQ(Texts(pair.b.netns()).size(), 99U);
  flows[1].tcp.state = TCP_CONNTRACK_TIME_WAIT;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {flows[1]}), 0U);
  Flow orphan = flows[1];
  orphan.rare = nullptr;
  EXPECT_TRUE(WaitUntil(Pair::kPatience,
                        [&] { return Dump(pair.b.netns()).count(Describe(orphan)) == 1; }));
  EXPECT_EQ(pair.b.State().refused, 0U);
}

TEST(RareFlows, AGreFlowThatWasHeldLivesOnAfterThePromotionAndEnds) {
  Options options;
  options.hold = absl::Milliseconds(50);
  Pair pair(options);
  Flow gre = Plain(Key(IPPROTO_GRE, "198.51.100.7", 0, "192.0.2.10", 0));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, {gre}), 0U);
  pair.Appoint(pair.a, 1);
  gre.mark = 4;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kUpdate, {gre}), 0U);
  pair.ExpectEqual(1);
  EXPECT_GT(Dump(pair.b.netns()).begin()->second.timeout, 86400U * 30);
  pair.b.Assume(Role::kMaster, 2);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    const auto table = Dump(pair.b.netns());
    return table.size() == 1 && table.begin()->second.timeout <= 86400;
  }));
  EXPECT_EQ(Dump(pair.b.netns()).count(Describe(gre)), 1U);
}

}  // namespace
}  // namespace zcluster::conntrack
