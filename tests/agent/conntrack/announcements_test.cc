// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/announcements.h"

#include "tests/agent/conntrack/expecting.h"

namespace zcluster::conntrack {
namespace {

Expectation Gone(Expectation expectation) {
  expectation.gone = true;
  return expectation;
}

std::vector<uint16_t> Take(Announcements& announcements, uint64_t taken, size_t most = 10) {
  std::vector<Expectation> expectations;
  announcements.Take(taken, most, expectations);
  std::vector<uint16_t> ports;
  for (const Expectation& at : expectations) ports.push_back(at.what.key.destination_port);
  return ports;
}

TEST(Announcements, LeaveAfterTheFlowsThatCameBefore) {
  Announcements announcements;
  announcements.Add(ActiveFtp(Control(), 1), 5);
  announcements.Add(ActiveFtp(Control(), 2), 7);
  EXPECT_FALSE(announcements.Ready(4));
  EXPECT_EQ(Take(announcements, 4), std::vector<uint16_t>{});
  EXPECT_EQ(Take(announcements, 6), std::vector<uint16_t>{1});
  EXPECT_EQ(Take(announcements, 7), std::vector<uint16_t>{2});
  EXPECT_FALSE(announcements.Ready(99));
}

TEST(Announcements, WhatCameAndWentIsNeverSentAndWhatWasSentIsEnded) {
  Announcements announcements;
  announcements.Add(ActiveFtp(Control(), 1), 0);
  announcements.Add(Gone(ActiveFtp(Control(), 1)), 0);
  announcements.Add(Gone(ActiveFtp(Control(), 9)), 0);
  EXPECT_EQ(Take(announcements, 0), std::vector<uint16_t>{});
  announcements.Add(ActiveFtp(Control(), 2), 0);
  Take(announcements, 0);
  EXPECT_EQ(announcements.digest(), DigestOf(ActiveFtp(Control(), 2)));
  announcements.Add(Gone(ActiveFtp(Control(), 2)), 0);
  EXPECT_EQ(Take(announcements, 0), std::vector<uint16_t>{2});
  EXPECT_EQ(announcements.digest(), 0U);
}

TEST(Announcements, OneThatCameAgainWaitsForItsNewMaster) {
  Announcements announcements;
  announcements.Add(ActiveFtp(Control(), 1), 0);
  Take(announcements, 0);
  announcements.Add(Gone(ActiveFtp(Control(), 1)), 3);
  announcements.Add(ActiveFtp(Control(false, 7), 1), 8);
  EXPECT_EQ(Take(announcements, 5), std::vector<uint16_t>{});
  EXPECT_EQ(Take(announcements, 8), std::vector<uint16_t>{1});
  EXPECT_EQ(announcements.digest(), DigestOf(ActiveFtp(Control(false, 7), 1)));
}

TEST(Announcements, AreBounded) {
  Announcements announcements;
  for (size_t i = 0; i < Announcements::kMost + 10; ++i) {
    Expectation one = ActiveFtp(Control(), static_cast<uint16_t>(i));
    one.what.key.source_port = static_cast<uint16_t>(i >> 16);
    announcements.Add(one, 0);
  }
  EXPECT_EQ(Take(announcements, 0, 1 << 20).size(), Announcements::kMost);
}

}  // namespace
}  // namespace zcluster::conntrack
