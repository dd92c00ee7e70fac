// SPDX-License-Identifier: Apache-2.0
#include "agent/health/verdict.h"

#include <gtest/gtest.h>

namespace zcluster::health {
namespace {

TEST(Verdict, IsNotKnownBeforeEnoughHasCome) {
  Verdict passing(2, 3);
  EXPECT_FALSE(passing.known());
  EXPECT_FALSE(passing.Add(true, "fine"));
  EXPECT_FALSE(passing.known());
  EXPECT_TRUE(passing.Add(true, "fine"));
  EXPECT_TRUE(passing.known());
  EXPECT_TRUE(passing.passes());
  Verdict failing(2, 3);
  EXPECT_FALSE(failing.Add(false, "bad"));
  EXPECT_FALSE(failing.Add(false, "bad"));
  EXPECT_FALSE(failing.known());
  EXPECT_TRUE(failing.Add(false, "bad"));
  EXPECT_TRUE(failing.known());
  EXPECT_FALSE(failing.passes());
  EXPECT_EQ(failing.evidence(), "bad");
}

TEST(Verdict, TurnsAfterSoManyInARow) {
  Verdict verdict(1, 3);
  ASSERT_TRUE(verdict.Add(true, "fine"));
  for (int i = 0; i < 5; ++i) {
    // Two failures, time and again, turn nothing.
    EXPECT_FALSE(verdict.Add(false, "bad"));
    EXPECT_FALSE(verdict.Add(false, "bad"));
    EXPECT_FALSE(verdict.Add(true, "fine again"));
    EXPECT_TRUE(verdict.passes());
  }
  EXPECT_EQ(verdict.evidence(), "fine") << "nothing is told of what does not turn it";
  verdict.Add(false, "bad");
  verdict.Add(false, "bad");
  EXPECT_TRUE(verdict.Add(false, "worse"));
  EXPECT_FALSE(verdict.passes());
  EXPECT_EQ(verdict.evidence(), "worse");
}

TEST(Verdict, SaysTheNewestReasonWhileItFails) {
  Verdict verdict(2, 1);
  ASSERT_TRUE(verdict.Add(false, "bad"));
  EXPECT_FALSE(verdict.Add(false, "bad"));
  EXPECT_TRUE(verdict.Add(false, "worse"));
  EXPECT_EQ(verdict.evidence(), "worse");
  EXPECT_FALSE(verdict.Add(true, "fine"));
  EXPECT_FALSE(verdict.Add(false, "worse"));
}

}  // namespace
}  // namespace zcluster::health
