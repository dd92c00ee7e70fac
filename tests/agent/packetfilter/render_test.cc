// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "agent/packetfilter/packetfilter.h"

namespace zcluster::packetfilter {
namespace {

TEST(Render, ReplacesTheTableInOneTransaction) {
  Options options;
  options.address = "192.0.2.1";
  options.peer_address = "192.0.2.2";
  options.interface = "front";
  options.link_port = 7700;
  options.link_addresses = {"198.51.100.2", "2001:db8:1::2"};
  options.vips = {"192.0.2.10", "2001:db8::10", "192.0.2.11"};
  EXPECT_EQ(Render(options), R"(table inet zcluster
delete table inet zcluster
table inet zcluster {
  chain untracked_in {
    type filter hook prerouting priority raw; policy accept;
    meta l4proto 112 notrack
    ip saddr { 198.51.100.2 } tcp dport 7700 notrack
    ip saddr { 198.51.100.2 } tcp sport 7700 notrack
    ip6 saddr { 2001:db8:1::2 } tcp dport 7700 notrack
    ip6 saddr { 2001:db8:1::2 } tcp sport 7700 notrack
  }
  chain untracked_out {
    type filter hook output priority raw; policy accept;
    meta l4proto 112 notrack
    ip daddr { 198.51.100.2 } tcp dport 7700 notrack
    ip daddr { 198.51.100.2 } tcp sport 7700 notrack
    ip6 daddr { 2001:db8:1::2 } tcp dport 7700 notrack
    ip6 daddr { 2001:db8:1::2 } tcp sport 7700 notrack
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "front" meta l4proto 112 ip saddr != 192.0.2.2 counter drop
    iifname "front" meta l4proto 112 meta nfproto ipv6 counter drop
    ip daddr { 192.0.2.10, 192.0.2.11 } ct state invalid counter drop
    ip6 daddr { 2001:db8::10 } ct state invalid counter drop
  }
}
)");
}

}  // namespace
}  // namespace zcluster::packetfilter
