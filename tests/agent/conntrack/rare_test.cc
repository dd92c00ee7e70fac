// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/rare.h"

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

const FlowKey kKey = Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 21);

TEST(Rare, NewsReplaceTheirPartAndLeaveTheOthers) {
  const RarePtr known = WithShift(WithLabels(Plain(kKey), 1), 5).rare;
  const RarePtr news = WithLabels(Plain(kKey), 2).rare;
  EXPECT_TRUE(Equal(Merge(known, news), WithShift(WithLabels(Plain(kKey), 2), 5).rare));
  EXPECT_TRUE(Equal(Merge(known, nullptr), known));
  EXPECT_TRUE(Equal(Merge(nullptr, news), news));
  EXPECT_EQ(Merge(nullptr, nullptr), nullptr);
}

TEST(Rare, WhatIsAlwaysToldIsTheNewsAlone) {
  const RarePtr known = WithHelper(WithLabels(Plain(kKey), 1), "ftp").rare;
  EXPECT_TRUE(Equal(Merge(known, nullptr), WithLabels(Plain(kKey), 1).rare));
  EXPECT_EQ(Merge(WithHelper(Plain(kKey), "ftp").rare, nullptr), nullptr);
}

TEST(Rare, WithoutItsOnlyPartNothingIsLeft) {
  EXPECT_EQ(Without(WithLabels(Plain(kKey), 1).rare, Rare::kLabels), nullptr);
  EXPECT_TRUE(Equal(Without(WithMaster(WithHelper(Plain(kKey), "ftp"), kKey).rare, Rare::kMaster),
                    WithHelper(Plain(kKey), "ftp").rare));
  const RarePtr other = WithShift(Plain(kKey), 1).rare;
  EXPECT_EQ(Without(other, Rare::kLabels), other);
}

}  // namespace
}  // namespace zcluster::conntrack
