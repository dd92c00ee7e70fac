// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/timeouts.h"

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

TEST(Timeouts, FollowTheSysctlsOfTheNamespace) {
  Netns netns;
  netns.Shell(
      "cd /proc/sys/net/netfilter && echo 11 > nf_conntrack_tcp_timeout_syn_sent && "
      "echo 22 > nf_conntrack_udp_timeout && echo 33 > nf_conntrack_udp_timeout_stream && "
      "echo 44 > nf_conntrack_icmpv6_timeout && echo 55 > nf_conntrack_sctp_timeout_established && "
      "echo 66 > nf_conntrack_gre_timeout_stream");
  netns.Run([] {
    const Timeouts timeouts = Timeouts::Read();
    Flow tcp = Natted(0);
    EXPECT_EQ(timeouts.Of(tcp), 432000U);
    tcp.tcp.state = TCP_CONNTRACK_SYN_SENT;
    EXPECT_EQ(timeouts.Of(tcp), 11U);
    tcp.tcp.state = TCP_CONNTRACK_CLOSE;
    EXPECT_EQ(timeouts.Of(tcp), 10U);
    Flow udp = Plain(Key(IPPROTO_UDP, "1.2.3.4", 1, "5.6.7.8", 2));
    EXPECT_EQ(timeouts.Of(udp), 33U);
    udp.status &= ~uint32_t{IPS_ASSURED};
    EXPECT_EQ(timeouts.Of(udp), 22U);
    EXPECT_EQ(timeouts.Of(Plain(Key(IPPROTO_ICMPV6, "::2", 1, "::3", 128 << 8))), 44U);
    EXPECT_EQ(timeouts.Of(Sctp(Key(IPPROTO_SCTP, "1.2.3.4", 1, "5.6.7.8", 2))), 55U);
    EXPECT_EQ(timeouts.Of(Sctp(Key(IPPROTO_SCTP, "1.2.3.4", 1, "5.6.7.8", 2), 7)), 3U);
    EXPECT_EQ(timeouts.Of(Plain(Key(IPPROTO_GRE, "1.2.3.4", 0, "5.6.7.8", 0))), 66U);
    EXPECT_EQ(timeouts.Of(Plain(Key(IPPROTO_ESP, "1.2.3.4", 0, "5.6.7.8", 0))), 600U);
    EXPECT_FALSE(IsHeld(timeouts.Of(Natted(0))));
  });
}

}  // namespace
}  // namespace zcluster::conntrack
