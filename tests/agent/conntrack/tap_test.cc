// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/tap.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace zcluster::conntrack {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);

// Flows whose ports count from `first`.
std::vector<Flow> Counted(size_t first, size_t count) {
  std::vector<Flow> flows(count);
  for (size_t i = 0; i < count; ++i) flows[i].id = static_cast<uint32_t>(first + i);
  return flows;
}

TEST(Allowance, GivesItsRateAndNoMoreThanItsShareAtOnce) {
  Allowance allowance(100);
  EXPECT_EQ(allowance.Take(1000, kStart), 20U);
  EXPECT_EQ(allowance.Take(1000, kStart), 0U);
  EXPECT_EQ(allowance.Take(1000, kStart + absl::Milliseconds(50)), 5U);
  EXPECT_EQ(allowance.Take(1000, kStart + absl::Hours(1)), 20U) << "idle hours are not saved up";
  size_t given = 0;
  for (int ms = 1; ms <= 10000; ++ms)
    given += allowance.Take(3, kStart + absl::Hours(1) + absl::Milliseconds(ms));
  EXPECT_NEAR(static_cast<double>(given), 1000.0, 1.0);
}

TEST(Allowance, OneASecondIsOneASecond) {
  Allowance allowance(1);
  size_t given = 0;
  for (int tick = 0; tick < 50; ++tick) given += allowance.Take(9, kStart + tick * kShowEvery);
  EXPECT_EQ(given, 10U);
}

TEST(Allowance, AnotherRateBeginsFull) {
  Allowance allowance(5);
  EXPECT_EQ(allowance.Take(9, kStart), 1U);
  allowance.SetRate(1000);
  EXPECT_EQ(allowance.Take(999, kStart), 200U);
  allowance.SetRate(0);
  EXPECT_EQ(allowance.Take(999, kStart + absl::Seconds(9)), 0U);
}

TEST(Tap, KeepsNothingWhileNobodyLooks) {
  Tap tap;
  std::vector<Tap::Seen> seen;
  tap.Offer(Counted(0, 10), kStart);
  EXPECT_EQ(tap.Take(seen), 0U);
  EXPECT_TRUE(seen.empty());
}

TEST(Tap, KeepsTheFirstOnesAndCountsTheRest) {
  Tap tap;
  std::vector<Tap::Seen> seen;
  tap.SetRate(100);
  tap.Offer(Counted(0, 64), kStart);
  tap.Offer(Counted(64, 64), kStart + absl::Milliseconds(100));
  EXPECT_EQ(tap.Take(seen), 128U - 30U);
  ASSERT_EQ(seen.size(), 30U);
  EXPECT_EQ(seen[19].flow.id, 19U);
  EXPECT_EQ(seen[20].flow.id, 64U);
  EXPECT_LE(seen[0].at, absl::Now());
  EXPECT_GT(seen[0].at, absl::Now() - absl::Minutes(1));
  EXPECT_EQ(tap.Take(seen), 0U);
  EXPECT_TRUE(seen.empty());
}

TEST(Tap, HoldsNoMoreThanItsBoundHoweverLongNobodyTakes) {
  Tap tap;
  std::vector<Tap::Seen> seen;
  tap.SetRate(1000);
  for (int i = 0; i < 100; ++i) tap.Offer(Counted(0, 64), kStart + i * absl::Milliseconds(100));
  EXPECT_EQ(tap.Take(seen), 6400U - Tap::kMaxWaiting);
  EXPECT_EQ(seen.size(), Tap::kMaxWaiting);
}

TEST(Tap, WhoeverBeginsToLookSeesNothingOld) {
  Tap tap;
  std::vector<Tap::Seen> seen;
  tap.SetRate(10);
  tap.Offer(Counted(0, 64), kStart);
  tap.SetRate(0);
  tap.SetRate(20);
  EXPECT_EQ(tap.Take(seen), 0U);
  EXPECT_TRUE(seen.empty());
}

TEST(Tap, LosesNoCountAndNoOrderWhileItIsTakenFrom) {
  Tap tap;
  tap.SetRate(1000);
  constexpr size_t kBatches = 20000;
  std::atomic<bool> done{false};
  std::thread capture([&] {
    for (size_t i = 0; i < kBatches; ++i)
      tap.Offer(Counted(i * 8, 8), kStart + absl::Milliseconds(static_cast<int64_t>(i)));
    done = true;
  });
  size_t kept = 0;
  uint64_t skipped = 0;
  uint32_t last = 0;
  std::vector<Tap::Seen> seen;
  for (bool more = true; more;) {
    more = !done;
    std::this_thread::yield();  // the lock is free now and then, as it nearly always is
    skipped += tap.Take(seen);
    for (const Tap::Seen& one : seen) {
      ASSERT_TRUE(kept == 0 || one.flow.id > last);
      last = one.flow.id;
      ++kept;
    }
  }
  capture.join();
  EXPECT_EQ(kept + skipped, kBatches * 8);
  EXPECT_GT(kept, 0U);
}

}  // namespace
}  // namespace zcluster::conntrack
