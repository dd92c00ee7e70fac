// SPDX-License-Identifier: Apache-2.0
#include "agent/events/waiting.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace zcluster::events {
namespace {

v1::Event Named(size_t i) {
  v1::Event event;
  event.set_name(absl::StrCat("e", i));
  return event;
}

TEST(Waiting, GivesTheOldestFirst) {
  Waiting waiting;
  for (size_t i = 0; i < 5; ++i) waiting.Add(Named(i));
  std::vector<v1::Event> taken = waiting.Take(2);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[1].name(), "e1");
  waiting.PutBack(std::move(taken));
  taken = waiting.Take(100);
  ASSERT_EQ(taken.size(), 5U);
  EXPECT_EQ(taken[0].name(), "e0");
  EXPECT_EQ(taken[4].name(), "e4");
  EXPECT_TRUE(waiting.empty());
  EXPECT_EQ(waiting.dropped(), 0U);
}

TEST(Waiting, TheOldestGiveWayAndAreCounted) {
  Waiting waiting;
  for (size_t i = 0; i < Waiting::kMaxEvents + 7; ++i) waiting.Add(Named(i));
  EXPECT_EQ(waiting.dropped(), 7U);
  std::vector<v1::Event> taken = waiting.Take(10);
  EXPECT_EQ(taken[0].name(), "e7");
  for (size_t i = 0; i < 4; ++i) waiting.Add(Named(0));
  waiting.PutBack(std::move(taken));
  EXPECT_EQ(waiting.dropped(), 11U);
  waiting.Forgive(7);
  EXPECT_EQ(waiting.dropped(), 4U);
  EXPECT_EQ(waiting.Take(1)[0].name(), "e11");
}

TEST(Waiting, LongOnesCountForMore) {
  Waiting waiting;
  v1::Event longest;
  for (int i = 0; i < 32; ++i) longest.add_fields()->set_value(std::string(1024, 'v'));
  for (int i = 0; i < 1000; ++i) waiting.Add(longest);
  const size_t fit = Waiting::kMaxBytes / longest.ByteSizeLong();
  EXPECT_EQ(waiting.dropped(), 1000 - fit);
  EXPECT_EQ(waiting.Take(1000).size(), fit);
  waiting.Add(longest);
  EXPECT_EQ(waiting.dropped(), 1000 - fit) << "what was taken does not count any more";
}

}  // namespace
}  // namespace zcluster::events
