// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/run.h"

#include "gtest/gtest.h"

namespace zcluster::sim {
namespace {

TEST(Seed, IsTheSameHistoryEachTime) {
  const auto history = [] {
    Coverage coverage;
    Trace trace(/*lines=*/100000);
    const Outcome outcome = sim::Run(42, coverage, &trace);
    EXPECT_EQ(outcome.broken, "");
    return trace.lines();
  };
  const auto first = history();
  EXPECT_GT(first.size(), 300u);
  EXPECT_EQ(first, history());
}

TEST(Seed, IsNotChangedByBeingWatched) {
  Coverage with;
  Coverage without;
  Trace trace(/*lines=*/10);
  EXPECT_EQ(sim::Run(43, with, &trace).steps, sim::Run(43, without, nullptr).steps);
  EXPECT_EQ(with.count(), without.count());
}

TEST(Seeds, DifferAndAreRichEnough) {
  Coverage coverage;
  absl::Duration last;
  for (uint64_t seed = 100; seed < 120; ++seed) {
    const Outcome outcome = sim::Run(seed, coverage, nullptr);
    EXPECT_EQ(outcome.broken, "") << "seed " << seed;
    EXPECT_GE(outcome.steps, 300u);
    EXPECT_GE(outcome.faults, 3u);
    EXPECT_GE(outcome.simulated, absl::Minutes(1));
    EXPECT_NE(outcome.simulated, last);
    last = outcome.simulated;
  }
}

}  // namespace
}  // namespace zcluster::sim
