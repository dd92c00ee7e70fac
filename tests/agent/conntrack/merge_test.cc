// SPDX-License-Identifier: Apache-2.0
// Two that were master beside each other, with clients on both.
#include <gmock/gmock.h>

#include "agent/conntrack/timeouts.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

uint32_t TimeoutOf(const Netns& netns, const Flow& flow) {
  uint32_t timeout = 0;
  netns.Run([&] {
    absl::StatusOr<KernelWriter> writer = KernelWriter::Open();
    ASSERT_TRUE(writer.ok());
    const absl::StatusOr<absl::optional<Flow>> found = writer->Get(flow.key);
    if (found.ok() && found->has_value()) timeout = (*found)->timeout;
  });
  return timeout;
}

class Merge : public testing::Test {
 protected:
  // Both are master, of terms 1 and 2, each with flows of its own, and a thousand that both have.
  Merge() {
    EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, NattedFlows(1000)), 0U);
    pair_.Appoint(pair_.a, 1);
    pair_.ExpectEqual(1000);
    pair_.b.Assume(Role::kMaster, 2);
    EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, NattedFlows(500, "10.1.0.2", 1000)), 0U);
    EXPECT_EQ(Change(pair_.b.netns(), Verb::kCreate, NattedFlows(300, "10.1.0.2", 2000)), 0U);
  }
  bool AwaitMerged() {
    return WaitUntil(Pair::kPatience, [&] { return pair_.a.Merged() == 1; });
  }

  Pair pair_;
};

TEST_F(Merge, BothSidesFlowsAreWithTheOneThatStaysAndThenOnBoth) {
  pair_.a.Merge(Role::kMaster, 1);
  ASSERT_TRUE(AwaitMerged());
  EXPECT_EQ(Texts(pair_.b.netns()).size(), 1800U);
  // Its clients come and go until it yields.
  ASSERT_EQ(Change(pair_.a.netns(), Verb::kCreate, NattedFlows(10, "10.1.0.2", 3000)), 0U);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return Texts(pair_.b.netns()).size() == 1810; }));
  pair_.a.Assume(Role::kBackup, 2);
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return pair_.a.State().synchronised && pair_.b.State().synchronised;
  }));
  pair_.ExpectEqual(1810);
}

TEST_F(Merge, TheOneThatStaysKeepsItsOwnWhereBothHaveTheSame) {
  const std::vector<Flow> of_a = NattedFlows(5, "10.1.0.9", 4000);
  const std::vector<Flow> of_b = NattedFlows(5, "10.1.0.2", 4000);
  ASSERT_EQ(Change(pair_.a.netns(), Verb::kCreate, of_a), 0U);
  ASSERT_EQ(Change(pair_.b.netns(), Verb::kCreate, of_b), 0U);
  pair_.a.Merge(Role::kMaster, 1);
  ASSERT_TRUE(AwaitMerged());
  const std::vector<std::string> texts = Texts(pair_.b.netns());
  EXPECT_EQ(texts.size(), 1805U);
  for (const std::string& text : texts)
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("10.1.0.9")));
  EXPECT_EQ(pair_.b.State().refused, 0U);
}

TEST_F(Merge, WhatCameHasTheTimeoutOfItsState) {
  pair_.a.Merge(Role::kMaster, 1);
  ASSERT_TRUE(AwaitMerged());
  const uint32_t timeout = TimeoutOf(pair_.b.netns(), Natted(1200));
  EXPECT_GT(timeout, 0U);
  EXPECT_FALSE(IsHeld(timeout));
}

// VRRP may demote it first: what its kernel has goes all the same, before the survivor's replaces
// it.
TEST_F(Merge, GoesOnAfterTheNodeBecameBackup) {
  pair_.a.Merge(Role::kBackup, 1);
  ASSERT_TRUE(AwaitMerged());
  pair_.a.Assume(Role::kBackup, 2);
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return pair_.a.State().synchronised && pair_.b.State().synchronised;
  }));
  pair_.ExpectEqual(1800);
}

TEST_F(Merge, IsRefusedByOneThatIsNoMasterOfThatTermOrALaterOne) {
  pair_.a.Merge(Role::kMaster, 3);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return pair_.a.State().problem.find("gives way") != std::string::npos;
  }));
  // It is let in once the other has promoted itself above.
  EXPECT_EQ(Texts(pair_.b.netns()).size(), 1300U);
  EXPECT_EQ(pair_.a.Merged(), 0);
  pair_.b.Assume(Role::kMaster, 4);
  ASSERT_TRUE(AwaitMerged());
  EXPECT_EQ(Texts(pair_.b.netns()).size(), 1800U);
}

}  // namespace
}  // namespace zcluster::conntrack
