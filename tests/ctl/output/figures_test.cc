// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/figures.h"

#include <gtest/gtest.h>

namespace zcluster::ctl {
namespace {

TEST(Figures, CountsHaveCommas) {
  EXPECT_EQ(Count(0), "0");
  EXPECT_EQ(Count(999), "999");
  EXPECT_EQ(Count(1000), "1,000");
  EXPECT_EQ(Count(18446744073709551615u), "18,446,744,073,709,551,615");
  EXPECT_EQ(CountOf(1, "flow"), "1 flow");
  EXPECT_EQ(CountOf(80311, "flow"), "80,311 flows");
}

TEST(Figures, DurationsHaveTheUnitThatFits) {
  EXPECT_EQ(Short(absl::Microseconds(412)), "0.4 ms");
  EXPECT_EQ(Short(absl::Milliseconds(12)), "12 ms");
  EXPECT_EQ(Short(absl::Milliseconds(3240)), "3.2 s");
  EXPECT_EQ(Short(absl::Seconds(42)), "42 s");
  EXPECT_EQ(Short(absl::Seconds(192)), "3m12s");
  EXPECT_EQ(Short(absl::Minutes(185)), "3h05m");
  EXPECT_EQ(Short(absl::Hours(292)), "12d4h");
}

TEST(Figures, DigestsAreShort) {
  EXPECT_EQ(ShortDigest("0123456789abcdef"), "01234567");
  EXPECT_EQ(ShortDigest(""), "-");
}

}  // namespace
}  // namespace zcluster::ctl
