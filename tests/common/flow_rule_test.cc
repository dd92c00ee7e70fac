// SPDX-License-Identifier: Apache-2.0
#include "common/flow_rule.h"

#include <gmock/gmock.h>
#include <netinet/in.h>

namespace zcluster {
namespace {

using testing::StartsWith;

template <typename T>
std::string Problem(const absl::StatusOr<T>& read) {
  return std::string(read.status().message());
}

TEST(FlowRule, ProtocolsByNameAndNumber) {
  EXPECT_EQ(*ParseProtocol("tcp"), IPPROTO_TCP);
  EXPECT_EQ(*ParseProtocol("ICMPv6"), IPPROTO_ICMPV6);
  EXPECT_EQ(*ParseProtocol("50"), 50);
  for (const char* wrong : {"", "carrier", "0", "256", "-6", " 6", "99999999999"})
    EXPECT_THAT(Problem(ParseProtocol(wrong)), StartsWith("is '")) << wrong;
}

TEST(FlowRule, NetworksWithoutWhatLiesBehindThePrefix) {
  const FlowRule::Network v4 = *ParseNetwork("10.1.2.3/13");
  EXPECT_EQ(v4.family, AF_INET);
  EXPECT_EQ(v4.length, 13);
  EXPECT_EQ(v4.address, (std::array<uint8_t, 16>{10, 0}));
  EXPECT_EQ(ParseNetwork("192.0.2.7")->length, 32);
  const FlowRule::Network v6 = *ParseNetwork("2001:DB8::ff/121");
  EXPECT_EQ(v6.family, AF_INET6);
  EXPECT_EQ(v6.length, 121);
  EXPECT_EQ(v6.address[15], 0x80);
  EXPECT_EQ(ParseNetwork("::/0")->length, 0);
  for (const char* wrong : {"", "here", "10.0.0.1/33", "10.0.0.1/", "::1/129", "10.0.0.0/8/8"})
    EXPECT_FALSE(ParseNetwork(wrong).ok()) << wrong;
}

TEST(FlowRule, PortsAloneAndInRanges) {
  EXPECT_EQ(*ParsePorts("443"), (FlowRule::Ports{443, 443}));
  EXPECT_EQ(*ParsePorts("1024-65535"), (FlowRule::Ports{1024, 65535}));
  for (const char* wrong : {"", "0", "65536", "80-", "-80", "90-80", "80-90-100", "http", "+80"})
    EXPECT_THAT(Problem(ParsePorts(wrong)), StartsWith("is '")) << wrong;
}

TEST(FlowRule, StatesAddUp) {
  FlowRule rule;
  EXPECT_TRUE(ParseState("SYN_SENT", rule).ok());
  EXPECT_TRUE(ParseState("TIME_WAIT", rule).ok());
  EXPECT_TRUE(ParseState("UNREPLIED", rule).ok());
  EXPECT_EQ(rule.tcp_states, 1 << 1 | 1 << 7);
  EXPECT_TRUE(rule.unreplied);
  EXPECT_THAT(std::string(ParseState("HAPPY", rule).message()), StartsWith("is 'HAPPY'; expected"));
}

TEST(FlowRule, MarksWithAndWithoutMask) {
  FlowRule rule;
  ASSERT_TRUE(ParseMark("0x10/0xf0", rule).ok());
  EXPECT_EQ(rule.mark, 0x10u);
  EXPECT_EQ(rule.mark_mask, 0xf0u);
  ASSERT_TRUE(ParseMark("0", rule).ok());
  EXPECT_EQ(rule.mark, 0u);
  EXPECT_EQ(rule.mark_mask, 0xffffffffu);
  for (const char* wrong : {"", "red", "1/2/3", "0x", "1/0", "0x11/0xf0", "4294967296"})
    EXPECT_FALSE(ParseMark(wrong, rule).ok()) << wrong;
}

}  // namespace
}  // namespace zcluster
