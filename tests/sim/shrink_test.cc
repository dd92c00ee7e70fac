// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/shrink.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/sim/run.h"

namespace zcluster::sim {
namespace {

TEST(Shrinking, KeepsWhatIsNeededTogether) {
  const Without without =
      Shrink(12, [](const Without& out) { return out.count(3) == 0 && out.count(11) == 0; });
  EXPECT_THAT(without, testing::ElementsAre(1, 2, 4, 5, 6, 7, 8, 9, 10, 12));
}

TEST(Shrinking, LeavesOutWhatIsNeededOnlyBesideAnother) {
  // 2 breaks by itself; with 5 it takes 1, too.
  const Without without = Shrink(5, [](const Without& out) {
    return out.count(2) == 0 && (out.count(5) != 0 || out.count(1) == 0);
  });
  EXPECT_THAT(without, testing::ElementsAre(1, 3, 4, 5));
}

TEST(Shrinking, EndsWhereNothingCanBeLeftOut) {
  int tries = 0;
  EXPECT_TRUE(Shrink(40, [&tries](const Without&) {
                ++tries;
                return false;
              }).empty());
  EXPECT_LE(tries, kMostTries);
}

TEST(Shrinking, OfNothingIsNothing) {
  EXPECT_TRUE(Shrink(0, [](const Without&) { return true; }).empty());
}

TEST(Seed, IsTheSameHistoryWithAFaultLeftOutUntilThatComes) {
  const auto history = [](const Without& without) {
    Coverage coverage;
    Trace trace(/*lines=*/100000);
    const Outcome outcome = sim::Run(42, coverage, &trace, without);
    EXPECT_GT(outcome.picks, 5u);
    return trace.lines();
  };
  const auto whole = history({});
  const auto less = history({5});
  EXPECT_NE(whole, less);
  const auto [at, there] = std::mismatch(whole.begin(), whole.end(), less.begin(), less.end());
  EXPECT_GT(at - whole.begin(), 20);
}

}  // namespace
}  // namespace zcluster::sim
