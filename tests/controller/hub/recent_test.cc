// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/recent.h"

#include <gtest/gtest.h>

namespace zcluster::controller {
namespace {

v1::FleetEvent Numbered(uint64_t number, size_t bytes = 0) {
  v1::FleetEvent event;
  event.set_number(number);
  event.mutable_event()->set_name(std::string(bytes, 'x'));
  return event;
}

uint64_t FirstAfter(const Recent& recent, uint64_t number) {
  const auto found = recent.After(number);
  return found == recent.end() ? 0 : found->number();
}

TEST(Recent, KnowsWhatItWasGivenAndNothingBefore) {
  Recent recent(100);
  EXPECT_TRUE(recent.Covers(100));
  EXPECT_FALSE(recent.Covers(99)) << "event 100 is on the disk alone";
  EXPECT_EQ(FirstAfter(recent, 100), 0U);
  recent.Add({Numbered(103), Numbered(104)});  // numbers have gaps
  recent.Add({Numbered(110)});
  EXPECT_EQ(FirstAfter(recent, 100), 103U);
  EXPECT_EQ(FirstAfter(recent, 103), 104U);
  EXPECT_EQ(FirstAfter(recent, 105), 110U);
  EXPECT_EQ(FirstAfter(recent, 110), 0U);
  EXPECT_TRUE(recent.Covers(100));
}

TEST(Recent, ForgetsTheOldestBeyondItsNumber) {
  Recent recent(0);
  for (uint64_t n = 1; n <= Recent::kMaxEvents + 10; ++n) recent.Add({Numbered(n)});
  EXPECT_FALSE(recent.Covers(9));
  EXPECT_TRUE(recent.Covers(10));
  EXPECT_EQ(FirstAfter(recent, 10), 11U);
}

TEST(Recent, ForgetsTheOldestBeyondItsSize) {
  Recent recent(0);
  for (uint64_t n = 1; n <= 20; ++n) recent.Add({Numbered(n, Recent::kMaxBytes / 10)});
  EXPECT_FALSE(recent.Covers(10));
  EXPECT_TRUE(recent.Covers(19));
  EXPECT_EQ(FirstAfter(recent, 19), 20U);
}

}  // namespace
}  // namespace zcluster::controller
