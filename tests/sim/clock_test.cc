// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/clock.h"

#include <vector>

#include "gtest/gtest.h"

namespace zcluster::sim {
namespace {

TEST(Clock, RunsWhatIsDueInItsOrder) {
  Clock clock;
  std::vector<int> ran;
  clock.After(absl::Seconds(2), [&] { ran.push_back(3); });
  clock.After(absl::Seconds(1), [&] { ran.push_back(1); });
  clock.After(absl::Seconds(1), [&] { ran.push_back(2); });
  while (clock.RunNext()) {
  }
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(clock.now(), Clock::kBegin + absl::Seconds(2));
}

class MachineClockTest : public testing::TestWithParam<int> {};

// What it is off by is neither more nor less than was asked for, and no timer rings early.
TEST_P(MachineClockTest, IsOffByItsDrift) {
  Clock world;
  MachineClock clock(world, GetParam());
  absl::Time due;
  int rang = 0;
  for (int i = 1; i <= 1000; ++i) {
    due = clock.now() + absl::Milliseconds(600) + absl::Nanoseconds(i);
    clock.At(due, [&] { ++rang; });
    ASSERT_TRUE(world.RunNext());
    ASSERT_EQ(rang, i);
    ASSERT_GE(clock.now(), due);
    ASSERT_LE(clock.now(), due + absl::Nanoseconds(2));
  }
  const absl::Duration here = clock.now() - Clock::kBegin;
  const absl::Duration passed = world.now() - Clock::kBegin;
  const absl::Duration off = passed * GetParam() / 1'000'000;
  EXPECT_LE(absl::AbsDuration(here - passed - off), absl::Nanoseconds(2));
  EXPECT_LE(passed, Longest(here) + absl::Nanoseconds(2));
  EXPECT_GE(passed, Shortest(here) - absl::Nanoseconds(2));
}

INSTANTIATE_TEST_SUITE_P(Drift, MachineClockTest,
                         testing::Values(0, 1, -1, kCommonDrift, -kCommonDrift, 12'345, -54'321,
                                         kMostDrift, -kMostDrift));

}  // namespace
}  // namespace zcluster::sim
