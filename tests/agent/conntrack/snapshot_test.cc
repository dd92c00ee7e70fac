// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/snapshot.h"

#include <set>

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

class SnapshotTest : public testing::Test {
 protected:
  SnapshotTest() {
    std::vector<Flow> flows;
    for (int i = 0; i < kFlows; ++i) flows.push_back(Natted(i));
    EXPECT_EQ(Change(netns_, Verb::kCreate, flows), 0U);
  }

  static constexpr int kFlows = 2000;
  const Netns netns_;
  Snapshot snapshot_;
  std::vector<Flow> flows_;
};

TEST_F(SnapshotTest, TellsEachFlowOnceInParts) {
  netns_.Run([this] {
    ASSERT_TRUE(snapshot_.Begin().ok());
    int parts = 0;
    for (absl::StatusOr<bool> more = true; more.ok() && *more; ++parts)
      more = snapshot_.Next(flows_);
    EXPECT_GT(parts, 5);
    EXPECT_FALSE(snapshot_.Running());
  });
  std::set<std::string> texts;
  for (const Flow& flow : flows_) texts.insert(Describe(flow));
  EXPECT_EQ(texts.size(), static_cast<size_t>(kFlows));
  EXPECT_EQ(flows_.size(), texts.size());
}

TEST_F(SnapshotTest, StartsOverFromTheBeginning) {
  netns_.Run([this] {
    ASSERT_TRUE(snapshot_.Begin().ok());
    ASSERT_TRUE(*snapshot_.Next(flows_));
    flows_.clear();
    ASSERT_TRUE(snapshot_.Begin().ok());
    while (*snapshot_.Next(flows_)) {
    }
  });
  EXPECT_EQ(flows_.size(), static_cast<size_t>(kFlows));
}

TEST_F(SnapshotTest, ToldLaterMeansToldAsItIsThen) {
  netns_.Run([this] {
    ASSERT_TRUE(snapshot_.Begin().ok());
    ASSERT_TRUE(*snapshot_.Next(flows_));
    std::vector<Flow> rest;
    for (int i = 0; i < kFlows; ++i) rest.push_back(Natted(i));
    ASSERT_EQ(Change(netns_, Verb::kDelete, rest), 0U);
    while (*snapshot_.Next(flows_)) {
    }
  });
  EXPECT_LT(flows_.size(), static_cast<size_t>(kFlows) / 2);
}

}  // namespace
}  // namespace zcluster::conntrack
