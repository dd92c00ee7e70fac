// SPDX-License-Identifier: Apache-2.0
// The question when two tables are equal, and what differs, while they change. Tables in memory:
// each change comes at a precise moment.
#include "agent/conntrack/comparison.h"

#include "absl/container/flat_hash_map.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

class MemoryTable : public Table {
 public:
  explicit MemoryTable(const std::vector<Flow>& flows) {
    for (const Flow& flow : flows) Put(flow);
  }
  void Put(const Flow& flow) { flows_[flow.key] = Canonical(flow); }
  void Drop(const Flow& flow) { flows_.erase(flow.key); }

  absl::Status Sum(Sums& sums) override {
    for (const auto& [key, flow] : flows_) {
      sums.counts.Add(FlowClass::kForwarded);
      sums.buckets.Add(flow);
    }
    return absl::OkStatus();
  }
  absl::Status Read(const BucketSet& buckets,
                    absl::FunctionRef<void(absl::Span<const Flow>)> show) override {
    for (const auto& [key, flow] : flows_) {
      if (!buckets[BucketOf(key)]) continue;
      ++read;
      show({flow});
      if (twice) show({flow});
    }
    return absl::OkStatus();
  }
  absl::StatusOr<Found> Look(absl::Span<const FlowKey> keys) override {
    if (before_look) before_look(++looks);
    Found found;
    for (const FlowKey& key : keys) {
      const auto at = flows_.find(key);
      found.push_back(at == flows_.end() ? std::nullopt : std::optional<Flow>(at->second));
    }
    return found;
  }

  std::function<void(int)> before_look;
  int looks = 0;
  uint64_t read = 0;
  bool twice = false;

 private:
  absl::flat_hash_map<FlowKey, Flow> flows_;
};

class ComparisonTest : public testing::Test {
 protected:
  Compared Run(size_t shown = 20) {
    Comparison comparison(master_, standby_,
                          {shown,
                           [this] {
                             ++settled_;
                             if (on_settle_) on_settle_();
                             return absl::OkStatus();
                           },
                           [this](std::string step) { steps_.push_back(step); }});
    const absl::StatusOr<Compared> compared = comparison.Run();
    EXPECT_TRUE(compared.ok()) << compared.status();
    return compared.value_or(Compared());
  }

  MemoryTable master_{NattedFlows(3000)};
  MemoryTable standby_{NattedFlows(3000)};
  int settled_ = 0;
  std::function<void()> on_settle_;
  std::vector<std::string> steps_;
};

TEST_F(ComparisonTest, OfEqualTablesReadsNoFlow) {
  const Compared compared = Run();
  EXPECT_TRUE(compared.Equal());
  EXPECT_EQ(compared.buckets, 0u);
  EXPECT_EQ(compared.in_motion, 0u);
  EXPECT_EQ(compared.master.forwarded, 3000u);
  EXPECT_EQ(master_.read + standby_.read, 0u);
  EXPECT_EQ(settled_, 0);
}

TEST_F(ComparisonTest, ReadsOnlyTheBucketsThatDiffer) {
  standby_.Drop(Natted(5));
  const Compared compared = Run();
  EXPECT_EQ(compared.differing, 1u);
  EXPECT_EQ(compared.buckets, 1u);
  EXPECT_LT(master_.read, 30u);
}

TEST_F(ComparisonTest, ShowsWhatIsMissingWhatIsTooMuchAndWhatIsAnother) {
  standby_.Drop(Natted(1));
  standby_.Put(Natted(50000));
  Flow marked = Natted(2);
  marked.mark = 9;
  standby_.Put(marked);
  const Compared compared = Run();
  EXPECT_FALSE(compared.Equal());
  ASSERT_EQ(compared.differing, 3u);
  ASSERT_EQ(compared.differences.size(), 3u);
  int missing = 0, only = 0, another = 0;
  for (const Compared::Difference& difference : compared.differences) {
    missing += difference.master && !difference.standby && difference.master->key == Natted(1).key;
    only +=
        !difference.master && difference.standby && difference.standby->key == Natted(50000).key;
    another += difference.master && difference.standby && difference.standby->mark == 9 &&
               difference.master->mark == 0;
  }
  EXPECT_EQ(missing + 10 * only + 100 * another, 111);
  EXPECT_GE(settled_, 1) << "a difference was believed that may be under way still";
}

TEST_F(ComparisonTest, ShowsNoMoreThanAreWanted) {
  for (int i = 0; i < 100; ++i) standby_.Drop(Natted(i));
  const Compared compared = Run(/*shown=*/7);
  EXPECT_EQ(compared.differing, 100u);
  EXPECT_EQ(compared.differences.size(), 7u);
}

TEST_F(ComparisonTest, CallsMotionWhatWasUnderWay) {
  standby_.Drop(Natted(1));
  on_settle_ = [this] { standby_.Put(Natted(1)); };
  const Compared compared = Run();
  EXPECT_TRUE(compared.Equal());
  EXPECT_EQ(compared.in_motion, 1u);
}

TEST_F(ComparisonTest, CallsMotionWhatEndedMeanwhile) {
  standby_.Drop(Natted(1));
  master_.before_look = [this](int) { master_.Drop(Natted(1)); };
  EXPECT_TRUE(Run().Equal());
}

TEST_F(ComparisonTest, CallsMotionWhatIsAnotherAtEachLook) {
  Flow flow = Natted(1);
  flow.mark = 1000;
  standby_.Put(flow);
  master_.before_look = [&](int look) {
    flow.mark = static_cast<uint32_t>(look);
    master_.Put(flow);
  };
  const Compared compared = Run();
  EXPECT_TRUE(compared.Equal());
  EXPECT_EQ(compared.in_motion, 1u);
  EXPECT_EQ(master_.looks, Comparison::kMaxLooks);
}

TEST_F(ComparisonTest, FindsADifferenceThatIsStillOnlyAtLast) {
  Flow flow = Natted(1);
  standby_.Drop(flow);
  master_.before_look = [&](int look) {
    flow.mark = look < 3 ? static_cast<uint32_t>(look) : 3;
    master_.Put(flow);
  };
  EXPECT_EQ(Run().differing, 1u);
}

TEST_F(ComparisonTest, IsNotMisledByAFlowThatIsToldTwice) {
  standby_.Drop(Natted(1));
  master_.twice = standby_.twice = true;
  const Compared compared = Run();
  EXPECT_EQ(compared.differing, 1u);
  EXPECT_EQ(compared.in_motion, 0u);
}

TEST_F(ComparisonTest, SaysWhatItDoes) {
  standby_.Drop(Natted(1));
  Run();
  EXPECT_GE(steps_.size(), 3u);
}

TEST_F(ComparisonTest, FailsIfTheMastersWordDoesNotArrive) {
  standby_.Drop(Natted(1));
  Comparison comparison(master_, standby_,
                        {20, [] { return absl::FailedPreconditionError("demoted"); }, nullptr});
  EXPECT_EQ(comparison.Run().status(), absl::FailedPreconditionError("demoted"));
}

// A peer may tell a flow for ever.
TEST_F(ComparisonTest, RefusesMoreFlowsThanMayBeHeld) {
  for (int i = 0; i < 5; ++i) standby_.Drop(Natted(i));
  Comparison comparison(master_, standby_, {20, nullptr, nullptr, /*most_flows=*/1});
  EXPECT_TRUE(absl::IsResourceExhausted(comparison.Run().status()));
}

}  // namespace
}  // namespace zcluster::conntrack
