// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/parse.h"

#include <random>

#include "agent/conntrack/message.h"
#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

// A message that we would send has all that one of the kernel's has.
TEST(Parse, ReadsWhatWeWrite) {
  alignas(8) char bytes[kMaxMessage];
  const Flow flow = Plain(Key(IPPROTO_TCP, "2001:db8::7", 1024, "2001:db8:1::10", 443));
  PutCreate(bytes, 1, flow, 60);
  Flow read;
  ASSERT_TRUE(ParseFlow(*reinterpret_cast<const nlmsghdr*>(bytes), read));
  EXPECT_EQ(Describe(read), Describe(flow));
  EXPECT_EQ(read.timeout, 60U);
  EXPECT_FALSE(read.gone);
}

TEST(Parse, ReadsLabelsOnlyWhenAskedTo) {
  alignas(8) char bytes[kMaxMessage];
  PutCreate(bytes, 1, WithLabels(Natted(0), 1), 60);
  Flow read;
  ASSERT_TRUE(ParseFlow(*reinterpret_cast<const nlmsghdr*>(bytes), read, false));
  EXPECT_EQ(read.rare, nullptr);
  ASSERT_TRUE(ParseFlow(*reinterpret_cast<const nlmsghdr*>(bytes), read, true));
  EXPECT_NE(read.rare, nullptr);
}

TEST(Parse, RefusesOtherMessages) {
  alignas(8) char bytes[kMaxMessage];
  Flow read;
  PutDump(bytes, 1);
  EXPECT_FALSE(ParseFlow(*reinterpret_cast<const nlmsghdr*>(bytes), read));
  PutCreate(bytes, 1, Natted(0), 60);
  auto* message = reinterpret_cast<nlmsghdr*>(bytes);
  message->nlmsg_type = NLMSG_ERROR;
  EXPECT_FALSE(ParseFlow(*message, read));
}

TEST(Parse, SurvivesAnything) {
  std::mt19937 random(7);
  const Flow rare =
      WithShift(WithMaster(WithLabels(WithHelper(Natted(0), "ftp"), 1), Natted(7).key), 99);
  for (int i = 0; i < 200000; ++i) {
    alignas(8) char bytes[kMaxMessage] = {};
    const size_t size = PutCreate(bytes, 1, i % 2 == 0 ? Natted(i % 100) : rare, 60);
    for (int j = 0; j < 3; ++j) bytes[16 + random() % (size - 16)] = static_cast<char>(random());
    auto* message = reinterpret_cast<nlmsghdr*>(bytes);
    message->nlmsg_len = static_cast<uint32_t>(random() % (size + 1));
    Flow read;
    ParseFlow(*message, read);
  }
}

}  // namespace
}  // namespace zcluster::conntrack
