// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/expectation_table.h"

#include "tests/agent/conntrack/expecting.h"

namespace zcluster::conntrack {
namespace {

TEST(ExpectationTable, SaysWhatTheKernelLacks) {
  ExpectationTable table;
  Expectation expectation = ActiveFtp(Control());
  EXPECT_TRUE(table.Name(expectation));
  EXPECT_FALSE(table.Name(expectation));
  expectation.what.nat_port = 9;
  EXPECT_TRUE(table.Name(expectation));
  EXPECT_EQ(table.digest(), DigestOf(expectation));
  EXPECT_EQ(table.TimeoutOf(expectation.what.key, 7), 300U);
  EXPECT_TRUE(table.End(expectation.what.key));
  EXPECT_FALSE(table.End(expectation.what.key));
  EXPECT_EQ(table.digest(), 0U);
  EXPECT_EQ(table.TimeoutOf(expectation.what.key, 7), 7U);
}

TEST(ExpectationTable, OneThatIsSkippedCountsButIsNotInTheKernel) {
  ExpectationTable table;
  const Expectation expectation = ActiveFtp(Control());
  table.Skip(expectation);
  EXPECT_EQ(table.digest(), DigestOf(expectation));
  table.ForEach([](const Expectation&) { FAIL(); });
  EXPECT_FALSE(table.End(expectation.what.key));
  EXPECT_EQ(table.digest(), 0U);
}

TEST(ExpectationTable, WhatIsHeldAndNamedStaysAndTheRestIsSwept) {
  ExpectationTable table;
  Expectation held = ActiveFtp(Control(), 1), own = ActiveFtp(Control(), 2);
  held.timeout = kHoldExpectation - 5;
  own.timeout = 250;
  table.Adopt(held);
  table.Adopt(own);
  table.Adopt(ActiveFtp(Control(), 3));
  EXPECT_FALSE(table.Name(ActiveFtp(Control(), 1)));
  EXPECT_TRUE(table.Name(ActiveFtp(Control(), 2))) << "it must be held from now on";
  std::vector<uint16_t> swept;
  table.Sweep([&](const Expectation& gone) { swept.push_back(gone.what.key.destination_port); });
  EXPECT_EQ(swept, std::vector<uint16_t>{3});
}

}  // namespace
}  // namespace zcluster::conntrack
