// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/pacer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/controller_link/read_limit.h"

namespace zcluster::controller_link {
namespace {

v1::Pacing Asked(absl::Duration after, absl::Duration before) {
  v1::Pacing pacing;
  pacing.mutable_reconnect_after()->set_seconds(absl::ToInt64Seconds(after));
  pacing.mutable_reconnect_before()->set_seconds(absl::ToInt64Seconds(before));
  return pacing;
}

// The least and the most of many waits after so many failures.
std::pair<absl::Duration, absl::Duration> Range(const v1::Pacing& asked, int failures) {
  absl::Duration least = absl::InfiniteDuration();
  absl::Duration most = absl::ZeroDuration();
  Pacer pacer;
  pacer.Set(asked);
  for (int i = 0; i < 300; ++i) {
    pacer.Reset();
    for (int failed = 0; failed < failures; ++failed) pacer.Next();
    const absl::Duration wait = pacer.Next();
    least = std::min(least, wait);
    most = std::max(most, wait);
  }
  return {least, most};
}

TEST(Pacer, WaitsARandomTimeBetweenItsBounds) {
  const auto [least, most] = Range({}, 0);
  EXPECT_GE(least, absl::Milliseconds(500));
  EXPECT_LE(least, absl::Seconds(1));
  EXPECT_GE(most, absl::Seconds(4));
  EXPECT_LE(most, absl::Seconds(5));
}

TEST(Pacer, DoublesTheUpperBoundUpToFiveMinutes) {
  const auto [least, most] = Range(Asked(absl::Seconds(1), absl::Seconds(10)), 2);
  EXPECT_GE(least, absl::Seconds(1));
  EXPECT_GE(most, absl::Seconds(30));
  EXPECT_LE(most, absl::Seconds(40));
  EXPECT_LE(Range(Asked(absl::Seconds(1), absl::Seconds(10)), 100).second, absl::Minutes(5));
}

TEST(Pacer, IsNeverTalkedIntoATightLoopOrAnEndlessWait) {
  EXPECT_GT(Range(Asked(-absl::Seconds(5), -absl::Seconds(5)), 0).second, absl::Milliseconds(50));
  EXPECT_GT(Range(Asked(absl::ZeroDuration(), absl::ZeroDuration()), 0).second,
            absl::Milliseconds(50));
  const auto [least, most] = Range(Asked(absl::Hours(1000), absl::Hours(1000)), 0);
  EXPECT_GE(least, absl::Minutes(1));
  EXPECT_LE(most, absl::Minutes(5));
  const auto [least_turned, most_turned] = Range(Asked(absl::Seconds(30), absl::Seconds(1)), 0);
  EXPECT_EQ(least_turned, absl::Seconds(30));
  EXPECT_EQ(most_turned, absl::Seconds(30));
}

TEST(ReadLimit, LetsABurstThroughAndThenSoManyASecond) {
  ReadLimit limit;
  const absl::Time now = absl::UnixEpoch();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(limit.Take(now), absl::ZeroDuration()) << i;
  EXPECT_EQ(limit.Take(now), absl::Milliseconds(10));
  EXPECT_EQ(limit.Take(now + absl::Milliseconds(10)), absl::Milliseconds(10));
  EXPECT_EQ(limit.Take(now + absl::Seconds(1)), absl::ZeroDuration());
}

TEST(ReadLimit, ForgivesNoMoreThanABurst) {
  ReadLimit limit;
  limit.Take(absl::UnixEpoch());
  const absl::Time later = absl::UnixEpoch() + absl::Hours(1);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(limit.Take(later), absl::ZeroDuration()) << i;
  EXPECT_GT(limit.Take(later), absl::ZeroDuration());
}

}  // namespace
}  // namespace zcluster::controller_link
