// SPDX-License-Identifier: Apache-2.0
#include "agent/events/kept.h"

#include <gtest/gtest.h>

#include <set>

#include "absl/strings/ascii.h"

namespace zcluster::events {
namespace {

TEST(Kept, EveryJournalHasAnotherName) {
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) names.insert(MakeId());
  EXPECT_EQ(names.size(), 100U);
  for (const std::string& name : names) {
    EXPECT_EQ(name.size(), 32U);
    for (const char c : name) EXPECT_TRUE(absl::ascii_isxdigit(static_cast<unsigned char>(c)));
  }
}

TEST(Kept, ABatchHasNoMoreThanWasAskedForNorThanFits) {
  v1::EventBatch batch;
  size_t bytes = 0;
  int added = 0;
  while (AddIfItFits(v1::Event(), 3, bytes, batch)) ++added;
  EXPECT_EQ(added, 3);
  while (AddIfItFits(v1::Event(), 1000, bytes, batch)) ++added;
  EXPECT_EQ(added, 256);

  v1::EventBatch large;
  bytes = 0;
  v1::Event longest;
  longest.set_name(std::string(64, 'n'));
  for (int i = 0; i < 32; ++i) {
    longest.add_fields()->set_name(std::string(64, 'n'));
    longest.mutable_fields(i)->set_value(std::string(1024, 'v'));
  }
  added = 0;
  while (AddIfItFits(longest, 1000, bytes, large)) ++added;
  EXPECT_EQ(added, 3) << "at least one always fits";
  EXPECT_LT(large.ByteSizeLong(), 256U << 10);
}

}  // namespace
}  // namespace zcluster::events
