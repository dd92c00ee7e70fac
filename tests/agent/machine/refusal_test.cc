// SPDX-License-Identifier: Apache-2.0
#include "agent/machine/refusal.h"

#include <gtest/gtest.h>
#include <net/if_arp.h>

namespace zcluster::machine {
namespace {

// A card that works and its own address.
Link Card() {
  return {.index = 2,
          .name = "eth0",
          .kind = "",
          .type = ARPHRD_ETHER,
          .up = true,
          .running = true,
          .on_a_bus = true,
          .port_kind = ""};
}
Link OfKind(const std::string& kind) {
  Link link = Card();
  link.kind = kind;
  link.on_a_bus = false;
  return link;
}
Link PortOf(const std::string& port_kind) {
  Link link = Card();
  link.master = 9;
  link.port_kind = port_kind;
  return link;
}
Link Without(bool Link::*what) {
  Link link = Card();
  link.*what = false;
  return link;
}
Link OfType(int type, bool on_a_bus) {
  Link link = Card();
  link.type = type;
  link.on_a_bus = on_a_bus;
  return link;
}
Link VethToOutside() {
  Link link = OfKind("veth");
  link.linked_outside = true;
  return link;
}
LinkAddress Own() {
  return {.index = 2, .text = "10.0.0.5", .prefix_length = 24, .global = true, .label = "eth0"};
}

struct Case {
  const char* name;
  Link link;
  const char* why;
};

class LinkIs : public testing::TestWithParam<Case> {};

TEST_P(LinkIs, UsedOrRefusedWithItsReason) {
  const std::string master = GetParam().link.master != 0 ? "top" : "";
  EXPECT_EQ(WhyRefused(GetParam().link, Own(), master, false), GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(
    Refusal, LinkIs,
    testing::Values(
        Case{"Card", Card(), ""}, Case{"CardOnNoBus", OfType(ARPHRD_ETHER, false), ""},
        Case{"InfinibandCard", OfType(ARPHRD_INFINIBAND, true), ""},
        Case{"SomethingWithoutKind", OfType(ARPHRD_PPP, false), "eth0 is not a real interface"},
        Case{"Bond", OfKind("bond"), ""}, Case{"Team", OfKind("team"), ""},
        Case{"Vlan", OfKind("vlan"), ""}, Case{"Bridge", OfKind("bridge"), ""},
        Case{"VethToOutside", VethToOutside(), ""},
        Case{"VethWithin", OfKind("veth"),
             "eth0 is a veth whose other end is in this namespace too, not a real interface"},
        Case{"Macvlan", OfKind("macvlan"), "eth0 is a macvlan, not a real interface"},
        Case{"Ipvlan", OfKind("ipvlan"), "eth0 is an ipvlan, not a real interface"},
        Case{"Tun", OfKind("tun"), "eth0 is a tun, not a real interface"},
        Case{"Dummy", OfKind("dummy"), "eth0 is a dummy, not a real interface"},
        Case{"Wireguard", OfKind("wireguard"), "eth0 is a wireguard, not a real interface"},
        Case{"Gre", OfKind("gre"), "eth0 is a gre, not a real interface"},
        Case{"Vrf", OfKind("vrf"), "eth0 is a vrf, not a real interface"},
        Case{"KindOfTomorrow", OfKind("newest"), "eth0 is a newest, not a real interface"},
        Case{"PortOfABridge", PortOf("bridge"),
             "eth0 is a port of the bridge top; use an address of top"},
        Case{"PortOfABond", PortOf("bond"),
             "eth0 is a port of the bond top; use an address of top"},
        Case{"PortOfSomethingElse", PortOf(""), "eth0 is a port of top; use an address of top"},
        Case{"InAVrf", PortOf("vrf"), ""},
        Case{"Down", Without(&Link::up), "eth0 is down (ip link set eth0 up)"},
        Case{"WithoutCarrier", Without(&Link::running),
             "eth0 has no carrier (look at cable and switch)"}),
    [](const testing::TestParamInfo<Case>& each) { return each.param.name; });

TEST(Refusal, NamesNoMasterThatItDoesNotKnow) {
  EXPECT_EQ(WhyRefused(PortOf("bridge"), Own(), "", false), "eth0 is a port of another interface");
}

TEST(Refusal, NamesTheAlias) {
  LinkAddress alias = Own();
  alias.label = "eth0:1";
  EXPECT_EQ(WhyRefused(Card(), alias, "", false),
            "a labelled alias (eth0:1), which moves or goes with scripts");
}

TEST(Refusal, OfASecondaryAddress) {
  LinkAddress second = Own();
  second.secondary = true;
  EXPECT_EQ(WhyRefused(Card(), second, "", false),
            "a secondary address, which goes when the first of its network goes");
}

TEST(Refusal, OfIpv6) {
  LinkAddress v6 = Own();
  v6.v6 = true;
  v6.label = "";
  EXPECT_EQ(WhyRefused(Card(), v6, "", false), "IPv6; a pair is made on IPv4 addresses");
}

TEST(Refusal, OfAVipSaysSoWhereverItIs) {
  EXPECT_EQ(WhyRefused(OfKind("macvlan"), Own(), "", true), "a VIP, which moves with the master");
}

TEST(Refusal, OfTheLoopbackInterfaceComesFirst) {
  Link lo = Card();
  lo.name = "lo";
  lo.loopback = true;
  EXPECT_EQ(WhyRefused(lo, Own(), "", true),
            "lo is the loopback interface, which nobody else reaches");
}

}  // namespace
}  // namespace zcluster::machine
