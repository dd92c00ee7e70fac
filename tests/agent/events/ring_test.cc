// SPDX-License-Identifier: Apache-2.0
#include "agent/events/ring.h"

#include <gtest/gtest.h>

namespace zcluster::events {
namespace {

TEST(Ring, NumbersWhatItKeepsAndReadsItInPages) {
  Ring ring;
  EXPECT_EQ(ring.span(), Span{});
  EXPECT_EQ(ring.Read(0, 10)->events_size(), 0);
  ASSERT_TRUE(ring.Append(std::vector<v1::Event>(5)).ok());
  EXPECT_EQ(ring.span(), (Span{1, 5}));
  const v1::EventBatch page = *ring.Read(2, 2);
  ASSERT_EQ(page.events_size(), 2);
  EXPECT_EQ(page.events(0).number(), 3U);
  EXPECT_EQ(page.events(1).number(), 4U);
  EXPECT_EQ(ring.Read(4, 10)->events_size(), 1);
  EXPECT_EQ(ring.Read(5, 10)->events_size(), 0);
  EXPECT_EQ(ring.Read(~uint64_t{0}, 10)->events_size(), 0);
}

TEST(Ring, KeepsTheNewest) {
  Ring ring;
  ASSERT_TRUE(ring.Append(std::vector<v1::Event>(Ring::kMaxEvents + 3)).ok());
  EXPECT_EQ(ring.span(), (Span{4, Ring::kMaxEvents + 3}));
  EXPECT_EQ(ring.Read(0, 1)->events(0).number(), 4U);
  v1::Event longest;
  for (int i = 0; i < 32; ++i) longest.add_fields()->set_value(std::string(1024, 'v'));
  ASSERT_TRUE(ring.Append(std::vector<v1::Event>(300, longest)).ok());
  EXPECT_LT((ring.span().last - ring.span().first) * longest.ByteSizeLong(), Ring::kMaxBytes);
}

}  // namespace
}  // namespace zcluster::events
