// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/expectation_message.h"

#include <random>

#include "agent/conntrack/message.h"
#include "tests/agent/conntrack/expecting.h"

namespace zcluster::conntrack {
namespace {

TEST(ExpectationMessage, WhatIsMadeComesBackAndEnds) {
  for (const bool v6 : {false, true}) {
    Netns netns;
    const Flow master = Control(v6);
    ASSERT_EQ(Change(netns, Verb::kCreate, {master}), 0U);
    const Expectation expectation = ActiveFtp(master);
    ASSERT_EQ(Change(netns, Verb::kExpect, {expectation}), 0U);
    std::vector<Expectation> found = Expectations(netns);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].what, expectation.what);
    EXPECT_NEAR(found[0].timeout, 300, 20);
    EXPECT_EQ(Change(netns, Verb::kExpectTimeout, {expectation}, kHoldExpectation), 0U);
    EXPECT_TRUE(IsHeldExpectation(Expectations(netns)[0].timeout));
    EXPECT_EQ(Change(netns, Verb::kUnexpect, {expectation}), 0U);
    EXPECT_TRUE(Expectations(netns).empty());
  }
}

TEST(ExpectationMessage, WithoutItsMasterItIsRefused) {
  Netns netns;
  EXPECT_EQ(Change(netns, Verb::kExpect, {ActiveFtp(Control(false))}), 1U);
}

TEST(ExpectationMessage, APermanentOneOfAnotherGroupComesBack) {
  Netns netns;
  Flow master = Plain(Key(IPPROTO_UDP, "198.51.100.7", 5060, "192.0.2.10", 5060));
  master = WithHelper(master, "sip");
  ASSERT_EQ(Change(netns, Verb::kCreate, {master}), 0U);
  Expectation media = ActiveFtp(master);
  media.what.key.protocol = IPPROTO_UDP;
  media.what.helper = master.rare->helper;
  media.what.function = {};
  media.what.group = 1;
  ASSERT_EQ(Change(netns, Verb::kExpect, {media}), 0U);
  ASSERT_EQ(Expectations(netns).size(), 1U);
  EXPECT_EQ(Expectations(netns)[0].what, media.what);
}

TEST(ExpectationMessage, RefusesOtherMessagesAndSurvivesAnything) {
  alignas(8) char bytes[kMaxMessage] = {};
  Expectation read;
  PutCreate(bytes, 1, Natted(0), 60);
  EXPECT_FALSE(ParseExpectation(*reinterpret_cast<const nlmsghdr*>(bytes), read));
  std::mt19937 random(7);
  for (int i = 0; i < 200000; ++i) {
    const size_t size = PutExpect(bytes, 1, ActiveFtp(Control(i % 2 == 0)));
    for (int j = 0; j < 3; ++j) bytes[16 + random() % (size - 16)] = static_cast<char>(random());
    auto* message = reinterpret_cast<nlmsghdr*>(bytes);
    message->nlmsg_len = static_cast<uint32_t>(random() % (size + 1));
    ParseExpectation(*message, read);
  }
}

}  // namespace
}  // namespace zcluster::conntrack
