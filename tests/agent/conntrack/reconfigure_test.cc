// SPDX-License-Identifier: Apache-2.0
// Replication is switched on and off while both nodes run.
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

Options Off() {
  Options options;
  options.replicate = false;
  options.hold = absl::Milliseconds(50);
  return options;
}

Options On() {
  Options options;
  options.hold = absl::Milliseconds(50);
  return options;
}

int64_t Held(const Node& node) {
  const auto table = Dump(node.netns());
  return std::count_if(table.begin(), table.end(),
                       [](const auto& at) { return at.second.timeout > 86400 * 30; });
}

bool BothSynchronised(Pair& pair) {
  return WaitUntil(Pair::kPatience,
                   [&] { return pair.a.State().synchronised && pair.b.State().synchronised; });
}

TEST(ConntrackReconfigured, SwitchedOnItTakesUpTheRolesThatBothHave) {
  Pair pair(Off());
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(500)), 0U);
  pair.b.Assume(Role::kBackup, 3);
  pair.a.Assume(Role::kMaster, 3);
  EXPECT_EQ(pair.a.State().problem, "replication is switched off");
  pair.a.Reconfigure(true);
  pair.b.Reconfigure(true);
  ASSERT_TRUE(BothSynchronised(pair)) << pair.a.State().problem << "; " << pair.b.State().problem;
  pair.ExpectEqual(500);
  pair.a.netns().Shell("test $(cat /proc/sys/net/netfilter/nf_conntrack_events) = 1");
}

TEST(ConntrackReconfigured, SwitchedOffTheBackupReleasesWhatItHolds) {
  Pair pair(On());
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(300)), 0U);
  pair.Appoint(pair.a, 1);
  EXPECT_EQ(Held(pair.b), 300);
  pair.a.Reconfigure(false);
  pair.b.Reconfigure(false);
  for (Node* node : {&pair.a, &pair.b}) {
    EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
      return node->State().problem == "replication is switched off" && !node->State().synchronised;
    }));
  }
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return Held(pair.b) == 0; }));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(1, "10.1.0.3", 5000)), 0U);
  pair.a.Reconfigure(true);
  pair.b.Reconfigure(true);
  ASSERT_TRUE(BothSynchronised(pair)) << pair.a.State().problem << "; " << pair.b.State().problem;
  pair.ExpectEqual(301);
  EXPECT_EQ(Held(pair.b), 301);
}

TEST(ConntrackReconfigured, WhileOneIsOffTheOtherSaysWhy) {
  Pair pair(On());
  pair.Appoint(pair.a, 1);
  pair.b.Reconfigure(false);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return pair.a.State().problem.find("switched off on this node") != std::string::npos;
  })) << pair.a.State().problem;
  pair.b.Reconfigure(true);
  EXPECT_TRUE(BothSynchronised(pair)) << pair.a.State().problem << "; " << pair.b.State().problem;
}

TEST(ConntrackReconfigured, TheRolesMaySwapWhileItIsOff) {
  Pair pair(On());
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(10)), 0U);
  pair.Appoint(pair.a, 1);
  for (Node* node : {&pair.a, &pair.b}) node->Reconfigure(false);
  pair.a.Assume(Role::kBackup, 2);
  pair.b.Assume(Role::kMaster, 2);
  ASSERT_EQ(Change(pair.b.netns(), Verb::kCreate, NattedFlows(5, "10.1.0.3", 5000)), 0U);
  for (Node* node : {&pair.a, &pair.b}) node->Reconfigure(true);
  ASSERT_TRUE(BothSynchronised(pair)) << pair.a.State().problem << "; " << pair.b.State().problem;
  pair.ExpectEqual(15);
}

TEST(ConntrackReconfigured, AFlushThatWaitsIsAnsweredWhenNothingIsOwedAnyMore) {
  Pair pair(On());
  pair.Appoint(pair.a, 1);
  pair.b.StopServing();
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return !pair.a.State().synchronised; }));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(10)), 0U);
  pair.a.Flush(9);
  EXPECT_TRUE(pair.a.Flushed().empty());
  pair.a.Reconfigure(false);
  EXPECT_EQ(pair.a.Flushed(), std::vector<uint64_t>{9});
}

TEST(ConntrackReconfigured, ManyTimesInARowItEndsSynchronised) {
  Pair pair(On());
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(1000)), 0U);
  pair.Appoint(pair.a, 1);
  for (int i = 0; i < 10; ++i) {
    for (bool replicate : {false, true}) {
      pair.b.Reconfigure(replicate);
      pair.a.Reconfigure(replicate);
    }
  }
  ASSERT_TRUE(BothSynchronised(pair)) << pair.a.State().problem << "; " << pair.b.State().problem;
  pair.ExpectEqual(1000);
}

TEST(ConntrackReconfigured, WhatCannotBeginIsShownAndNoCrash) {
  Options options = Off();
  options.own_addresses = {"nowhere"};
  Node node(options);
  node.Listen(node);
  node.Assume(Role::kMaster, 1);
  node.Reconfigure(true);
  EXPECT_NE(node.State().problem.find("nowhere"), std::string::npos) << node.State().problem;
  node.Assume(Role::kBackup, 1);
  EXPECT_FALSE(node.State().synchronised);
  node.Reconfigure(false);
  EXPECT_EQ(node.State().problem, "replication is switched off");
}

}  // namespace
}  // namespace zcluster::conntrack
