// SPDX-License-Identifier: Apache-2.0
#include "common/rate.h"

#include <gtest/gtest.h>

namespace zcluster {
namespace {

const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1);

TEST(Rate, LetsABurstThroughAndThenThePace) {
  Rate rate(10, 3);
  EXPECT_TRUE(rate.Take(kStart));
  EXPECT_TRUE(rate.Take(kStart));
  EXPECT_TRUE(rate.Take(kStart));
  EXPECT_FALSE(rate.Take(kStart));
  EXPECT_FALSE(rate.Take(kStart + absl::Milliseconds(99)));
  EXPECT_TRUE(rate.Take(kStart + absl::Milliseconds(101)));
  EXPECT_FALSE(rate.Take(kStart + absl::Milliseconds(102)));
}

TEST(Rate, KeepsItsAverageOverALongTime) {
  Rate rate(100, 50);
  int taken = 0;
  for (int ms = 0; ms < 60'000; ++ms) {
    if (rate.Take(kStart + absl::Milliseconds(ms))) ++taken;
  }
  EXPECT_GE(taken, 6000 + 48);
  EXPECT_LE(taken, 6000 + 51);
}

TEST(Rate, SavesNoMoreThanTheBurst) {
  Rate rate(1000, 2);
  ASSERT_TRUE(rate.Take(kStart, 2));
  const absl::Time later = kStart + absl::Hours(24);
  EXPECT_TRUE(rate.Take(later, 2));
  EXPECT_FALSE(rate.Take(later));
}

TEST(Rate, SaysHowLongToWaitAndMeansIt) {
  Rate rate(3, 1);
  ASSERT_TRUE(rate.Take(kStart));
  const absl::Duration wait = rate.Until(kStart);
  EXPECT_GT(wait, absl::Milliseconds(333));
  EXPECT_LT(wait, absl::Milliseconds(334));
  EXPECT_FALSE(rate.Take(kStart + wait - absl::Milliseconds(1)));
  EXPECT_TRUE(rate.Take(kStart + wait));
}

TEST(Rate, LetsMoreThanTheBurstThroughOnceAndMakesItPay) {
  Rate rate(10, 5);
  EXPECT_EQ(rate.Until(kStart, 20), absl::ZeroDuration());
  EXPECT_TRUE(rate.Take(kStart, 20));
  EXPECT_FALSE(rate.Take(kStart + absl::Milliseconds(1500)));
  EXPECT_TRUE(rate.Take(kStart + absl::Milliseconds(1601)));
}

TEST(Rate, GivesNothingForAClockThatGoesBack) {
  Rate rate(1, 1);
  ASSERT_TRUE(rate.Take(kStart));
  EXPECT_FALSE(rate.Take(kStart - absl::Hours(1)));
  EXPECT_FALSE(rate.Take(kStart));
  EXPECT_TRUE(rate.Take(kStart + absl::Milliseconds(1001)));
}

}  // namespace
}  // namespace zcluster
