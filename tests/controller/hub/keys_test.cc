// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/keys.h"

#include <gtest/gtest.h>

namespace zcluster::controller {
namespace {

TEST(Keys, AdmitsEachOfThemAndNobodyElse) {
  EXPECT_TRUE(Admits("a", "a"));
  EXPECT_TRUE(Admits("a b", "b"));
  EXPECT_FALSE(Admits("a b", "c"));
  EXPECT_FALSE(Admits("ab", "a"));
  EXPECT_FALSE(Admits("", ""));
  EXPECT_FALSE(Admits("a", ""));
}

TEST(Keys, DropsWhatIsOlderThanTheOneThatWasSeen) {
  EXPECT_EQ(Since("a b c", "b"), "b c");
  EXPECT_EQ(Since("a b c", "c"), "c");
  EXPECT_EQ(Since("a b c", "a"), "a b c");
  EXPECT_EQ(Since("a b", "x"), "a b");
}

TEST(Keys, KeepsTheOneInUseAndTheNewest) {
  std::string keys = "a";
  for (const char* key : {"b", "c", "d"}) keys = WithNew(keys, key);
  EXPECT_EQ(keys, "a b c d");
  EXPECT_EQ(WithNew(keys, "e"), "a c d e");
  EXPECT_EQ(WithNew(keys, "d"), keys) << "asked for again";
}

}  // namespace
}  // namespace zcluster::controller
