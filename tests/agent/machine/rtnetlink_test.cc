// SPDX-License-Identifier: Apache-2.0
#include "agent/machine/rtnetlink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if_arp.h>

#include "tests/support/netns.h"

namespace zcluster::machine {
namespace {

using testing::ElementsAre;

Link LinkIn(const Netns& netns, const std::string& name) {
  Link result;
  netns.Run([&] {
    const absl::StatusOr<std::vector<Link>> links = Links();
    ASSERT_TRUE(links.ok()) << links.status();
    for (const Link& link : *links) {
      if (link.name == name) result = link;
    }
  });
  EXPECT_EQ(result.name, name) << "is not there";
  return result;
}

std::vector<LinkAddress> AddressesIn(const Netns& netns, const std::string& interface) {
  const int index = LinkIn(netns, interface).index;
  std::vector<LinkAddress> result;
  netns.Run([&] {
    const absl::StatusOr<std::vector<LinkAddress>> rows = LinkAddresses();
    ASSERT_TRUE(rows.ok()) << rows.status();
    for (const LinkAddress& row : *rows) {
      if (row.index == index) result.push_back(row);
    }
  });
  return result;
}

TEST(Rtnetlink, TellsTheLoopbackInterface) {
  const Netns netns;
  const Link lo = LinkIn(netns, "lo");
  EXPECT_TRUE(lo.loopback);
  EXPECT_EQ(lo.type, ARPHRD_LOOPBACK);
  EXPECT_EQ(lo.kind, "");
  EXPECT_FALSE(lo.up);
}

TEST(Rtnetlink, TellsWhetherTheOtherEndOfAVethIsInAnotherNamespace) {
  const Netns netns, other;
  netns.Shell("ip link add out type veth peer name out netns " + other.Path());
  netns.Shell("ip link add in1 type veth peer name in2");
  EXPECT_TRUE(LinkIn(netns, "out").linked_outside);
  EXPECT_EQ(LinkIn(netns, "out").kind, "veth");
  EXPECT_FALSE(LinkIn(netns, "in1").linked_outside);
}

TEST(Rtnetlink, TellsAPortFromItsMaster) {
  const Netns netns;
  netns.Shell(
      "ip link add br0 type bridge && ip link add p type veth peer name q && "
      "ip link set p master br0");
  const Link bridge = LinkIn(netns, "br0");
  EXPECT_EQ(bridge.kind, "bridge");
  EXPECT_EQ(bridge.master, 0);
  const Link port = LinkIn(netns, "p");
  EXPECT_EQ(port.master, bridge.index);
  EXPECT_EQ(port.port_kind, "bridge");
  EXPECT_EQ(port.kind, "veth");
}

TEST(Rtnetlink, TellsWhetherAnInterfaceIsUpAndHasACarrier) {
  const Netns netns, other;
  netns.Shell("ip link add e type veth peer name e netns " + other.Path());
  EXPECT_FALSE(LinkIn(netns, "e").up);
  netns.Shell("ip link set e up");
  EXPECT_TRUE(LinkIn(netns, "e").up);
  EXPECT_FALSE(LinkIn(netns, "e").running);
  other.Shell("ip link set e up");
  // The kernel tells of a carrier from a work queue.
  netns.Shell(
      "for i in $(seq 2000); do ip -o link show e | grep -q LOWER_UP && exit 0; done; "
      "exit 1");
  EXPECT_TRUE(LinkIn(netns, "e").running);
}

TEST(Rtnetlink, ReadsLabelsAndSecondaryAddresses) {
  const Netns netns;
  netns.Shell(
      "ip addr add 10.0.0.1/24 dev lo && ip addr add 10.0.0.2/24 dev lo && "
      "ip addr add 10.0.1.1/32 dev lo label lo:x");
  const std::vector<LinkAddress> rows = AddressesIn(netns, "lo");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].text, "10.0.0.1");
  EXPECT_EQ(rows[0].prefix_length, 24);
  EXPECT_EQ(rows[0].label, "lo");
  EXPECT_FALSE(rows[0].secondary);
  EXPECT_EQ(rows[1].text, "10.0.1.1");
  EXPECT_EQ(rows[1].label, "lo:x");
  EXPECT_EQ(rows[2].text, "10.0.0.2");
  EXPECT_TRUE(rows[2].secondary);
}

TEST(Rtnetlink, ReadsTheOwnAddressOfAPointToPointLink) {
  const Netns netns;
  netns.Shell("ip tuntap add t mode tun && ip addr add 10.0.0.1 peer 10.9.0.1/24 dev t");
  const std::vector<LinkAddress> rows = AddressesIn(netns, "t");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].text, "10.0.0.1");
}

TEST(Rtnetlink, ReadsIpv6WithItsScope) {
  const Netns netns;
  netns.Shell(
      "ip link add e type veth peer name f && ip link set e addrgenmode none && "
      "ip addr add 2001:DB8:0::1/64 dev e nodad && ip addr add fe80::5/64 dev e nodad");
  const std::vector<LinkAddress> rows = AddressesIn(netns, "e");
  ASSERT_EQ(rows.size(), 2U);
  for (const LinkAddress& row : rows) {
    EXPECT_TRUE(row.v6);
    EXPECT_FALSE(row.secondary);
    EXPECT_EQ(row.global, row.text == "2001:db8::1") << row.text;
  }
}

TEST(Rtnetlink, ReadsMoreAddressesThanOnePartOfADumpHolds) {
  const Netns netns;
  netns.Shell(
      "for i in $(seq 250); do for j in 1 2 3 4; do "
      "echo addr add 10.0.$j.$i/32 dev lo; done; done | ip -batch -");
  EXPECT_EQ(AddressesIn(netns, "lo").size(), 1000U);
}

}  // namespace
}  // namespace zcluster::machine
