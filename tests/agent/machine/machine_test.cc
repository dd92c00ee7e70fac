// SPDX-License-Identifier: Apache-2.0
#include "agent/machine/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/netns.h"

namespace zcluster::machine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A machine with one wire to outside (eth0, up), and what the test adds.
class Machine : public testing::Test {
 protected:
  Machine() {
    netns_.Shell("ip link add eth0 type veth peer name eth0 netns " + other_.Path() +
                 " && ip link set lo up && ip link set eth0 up && "
                 "ip addr add 10.0.0.5/24 dev eth0");
    other_.Shell("ip link set eth0 up");
    // The kernel tells of a carrier from a work queue.
    netns_.Shell(
        "for i in $(seq 2000); do ip -o link show eth0 | grep -q LOWER_UP && exit 0; "
        "done; exit 1");
  }

  std::vector<Address> All(const std::vector<std::string>& vips = {}) {
    std::vector<Address> result;
    netns_.Run([&] {
      absl::StatusOr<std::vector<Address>> addresses = Addresses(vips);
      ASSERT_TRUE(addresses.ok()) << addresses.status();
      result = *std::move(addresses);
    });
    return result;
  }
  // Why `address` is refused; "?" if it is not there.
  std::string Refused(absl::string_view address, const std::vector<std::string>& vips = {}) {
    const std::vector<Address> all = All(vips);
    const Address* found = Find(all, address);
    return found == nullptr ? "?" : found->refused;
  }

  const Netns netns_;
  const Netns other_;
};

TEST_F(Machine, OffersTheAddressOfARealInterface) {
  const std::vector<Address> all = All();
  const Address* address = Find(all, "10.0.0.5");
  ASSERT_NE(address, nullptr);
  EXPECT_EQ(address->prefix_length, 24);
  EXPECT_FALSE(address->v6);
  EXPECT_EQ(address->interface, "eth0");
  EXPECT_EQ(address->refused, "");
}

TEST_F(Machine, ListsByInterfaceWithIpv4First) {
  netns_.Shell(
      "ip link add br0 type bridge && ip addr add 10.1.0.1/24 dev br0 && "
      "ip addr add 2001:db8::5/64 dev eth0 nodad");
  std::vector<std::string> texts;
  for (const Address& each : All()) texts.push_back(each.address);
  EXPECT_THAT(texts, ElementsAre("127.0.0.1", "::1", "10.0.0.5", "2001:db8::5", "10.1.0.1"));
}

TEST_F(Machine, RefusesLoopback) {
  EXPECT_THAT(Refused("127.0.0.1"), HasSubstr("loopback"));
  EXPECT_THAT(Refused("::1"), HasSubstr("loopback"));
}

TEST_F(Machine, LeavesOutAddressesOfOneWire) {
  netns_.Shell(
      "ip addr add fe80::5/64 dev eth0 nodad && "
      "ip addr add 169.254.9.9/16 dev eth0 scope link");
  EXPECT_EQ(Refused("fe80::5"), "?");
  EXPECT_EQ(Refused("169.254.9.9"), "?");
}

TEST_F(Machine, RefusesAVethWithin) {
  netns_.Shell(
      "ip link add in1 type veth peer name in2 && ip addr add 10.1.0.1/24 dev in1 && "
      "ip link set in1 up && ip link set in2 up");
  EXPECT_THAT(Refused("10.1.0.1"), HasSubstr("in1 is a veth whose other end"));
}

TEST_F(Machine, RefusesThePortOfABridgeAndOffersItsMaster) {
  netns_.Shell(
      "ip link add br0 type bridge && ip link set eth0 master br0 && "
      "ip link set br0 up && ip addr add 10.1.0.1/24 dev br0");
  netns_.Shell(
      "for i in $(seq 2000); do ip -o link show br0 | grep -q LOWER_UP && exit 0; "
      "done; exit 1");
  EXPECT_EQ(Refused("10.0.0.5"), "eth0 is a port of the bridge br0; use an address of br0");
  EXPECT_EQ(Refused("10.1.0.1"), "");
}

TEST_F(Machine, RefusesAMacvlan) {
  netns_.Shell(
      "ip link add mv link eth0 type macvlan mode bridge && "
      "ip addr add 10.1.0.1/24 dev mv && ip link set mv up");
  EXPECT_EQ(Refused("10.1.0.1"), "mv is a macvlan, not a real interface");
}

TEST_F(Machine, RefusesATun) {
  netns_.Shell("ip tuntap add t mode tun && ip addr add 10.1.0.1/24 dev t && ip link set dev t up");
  EXPECT_EQ(Refused("10.1.0.1"), "t is a tun, not a real interface");
}

TEST_F(Machine, RefusesATunnel) {
  netns_.Shell(
      "ip link add vx type vxlan id 5 dstport 4789 && ip addr add 10.1.0.1/24 dev vx && "
      "ip link set vx up");
  EXPECT_EQ(Refused("10.1.0.1"), "vx is a vxlan, not a real interface");
}

TEST_F(Machine, RefusesASecondaryAddress) {
  netns_.Shell("ip addr add 10.0.0.6/24 dev eth0");
  EXPECT_THAT(Refused("10.0.0.6"), HasSubstr("a secondary address"));
  EXPECT_EQ(Refused("10.0.0.5"), "");
}

TEST_F(Machine, RefusesALabelledAlias) {
  netns_.Shell("ip addr add 10.1.0.1/24 dev eth0 label eth0:1");
  EXPECT_EQ(Refused("10.1.0.1"), "a labelled alias (eth0:1), which moves or goes with scripts");
}

TEST_F(Machine, RefusesAnInterfaceThatIsDown) {
  netns_.Shell("ip link set eth0 down");
  EXPECT_THAT(Refused("10.0.0.5"), HasSubstr("eth0 is down"));
}

TEST_F(Machine, RefusesAnInterfaceWithoutCarrier) {
  other_.Shell("ip link set eth0 down");
  netns_.Shell(
      "for i in $(seq 2000); do ip -o link show eth0 | grep -q LOWER_UP || exit 0; "
      "done; exit 1");
  EXPECT_THAT(Refused("10.0.0.5"), HasSubstr("eth0 has no carrier"));
}

TEST_F(Machine, RefusesIpv6) {
  netns_.Shell("ip addr add 2001:db8::5/64 dev eth0 nodad");
  EXPECT_EQ(Refused("2001:db8::5"), "IPv6; a pair is made on IPv4 addresses");
}

TEST_F(Machine, RefusesAVipAndMarksIt) {
  netns_.Shell("ip addr add 10.1.0.1/32 dev eth0");
  EXPECT_EQ(Refused("10.1.0.1"), "");
  EXPECT_EQ(Refused("10.1.0.1", {"192.0.2.1", "10.1.0.1"}), "a VIP, which moves with the master");
  const std::vector<Address> all = All({"10.1.0.1"});
  EXPECT_TRUE(Find(all, "10.1.0.1")->vip);
  EXPECT_FALSE(Find(all, "10.0.0.5")->vip);
}

TEST_F(Machine, FindsNothingThatIsNotThere) { EXPECT_EQ(Find(All(), "10.0.0.4"), nullptr); }

}  // namespace
}  // namespace zcluster::machine
