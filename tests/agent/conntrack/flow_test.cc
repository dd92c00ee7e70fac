// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/flow.h"

#include "absl/hash/hash.h"
#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

TEST(Flow, AnswersComeTheOtherWayRound) {
  const FlowKey key = Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 443);
  EXPECT_EQ(Inverse(key), (Reply{key.destination, key.source, 443, 1024}));
  EXPECT_EQ(Inverse(Key(IPPROTO_ICMP, "1.2.3.4", 77, "5.6.7.8", 8 << 8)).destination_port, 0);
  EXPECT_EQ(Inverse(Key(IPPROTO_ICMP, "1.2.3.4", 77, "5.6.7.8", 13 << 8)).destination_port,
            14 << 8);
  EXPECT_EQ(Inverse(Key(IPPROTO_ICMPV6, "::2", 77, "::3", 128 << 8)).destination_port, 129 << 8);
  EXPECT_EQ(Inverse(Key(IPPROTO_ICMPV6, "::2", 77, "::3", 128 << 8)).source_port, 77);
}

TEST(Flow, NatIsWhatAnswersDiffer) {
  const auto nat = [](const Flow& flow) {
    return std::pair(NatOf(flow).source, NatOf(flow).destination);
  };
  Flow flow = Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 443));
  EXPECT_EQ(nat(flow), std::pair(false, false));
  flow.reply.source_port = 8443;
  EXPECT_EQ(nat(flow), std::pair(false, true));
  flow.reply.destination_port = 4000;
  EXPECT_EQ(nat(flow), std::pair(true, true));
  Flow ping = Plain(Key(IPPROTO_ICMP, "198.51.100.7", 77, "192.0.2.10", 8 << 8));
  EXPECT_EQ(nat(ping), std::pair(false, false));
  ping.reply.source_port = 78;
  EXPECT_EQ(nat(ping), std::pair(true, false));
}

TEST(Flow, KeysThatDifferInOnePlaceDiffer) {
  const FlowKey key = Natted(0).key;
  FlowKey zoned = key;
  zoned.zone = 1;
  EXPECT_NE(absl::HashOf(key), absl::HashOf(zoned));
  EXPECT_NE(key, zoned);
  EXPECT_EQ(absl::HashOf(key), absl::HashOf(Natted(0).key));
}

TEST(Flow, Reads) {
  EXPECT_EQ(Text(Natted(0).key), "tcp 198.51.100.7:1024 -> 192.0.2.10:443");
  EXPECT_EQ(Text(Key(IPPROTO_UDP, "2001:db8::1", 1, "2001:db8::2", 2)),
            "udp [2001:db8::1]:1 -> [2001:db8::2]:2");
}

}  // namespace
}  // namespace zcluster::conntrack
