// SPDX-License-Identifier: Apache-2.0
#include "agent/machine/refusal.h"

#include <net/if_arp.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace zcluster::machine {
namespace {

// Software devices that reach the network as a card does. Of all others (macvlan, ipvlan, tun,
// dummy, ifb, wireguard, vxlan, gre …) some carry no VRRP, some depend on an address that may go,
// some lead nowhere: whoever has a reason must name the interface below.
bool IsRealKind(absl::string_view kind) {
  return kind == "bond" || kind == "team" || kind == "vlan" || kind == "bridge";
}

std::string WithArticle(absl::string_view noun) {
  return absl::StrCat(absl::StrContains("aeio", noun.front()) ? "an " : "a ", noun);
}

std::string WhyNotReal(const Link& link) {
  if (link.loopback) return "lo is the loopback interface, which nobody else reaches";
  if (link.kind.empty()) {
    // Virtual machines' cards are on a bus too; an Ethernet device without a kind is a driver's.
    if (link.on_a_bus || link.type == ARPHRD_ETHER) return "";
    return absl::StrCat(link.name, " is not a real interface");
  }
  if (link.kind == "veth") {
    if (link.linked_outside) return "";
    return absl::StrCat(link.name, " is a veth whose other end is in this namespace too, not a ",
                        "real interface");
  }
  if (IsRealKind(link.kind)) return "";
  return absl::StrCat(link.name, " is ", WithArticle(link.kind), ", not a real interface");
}

std::string WhyNotItsOwn(const Link& link, absl::string_view master) {
  // A VRF only chooses the routing table. A master that is not named is in another namespace, or
  // new.
  if (link.master == 0 || link.port_kind == "vrf") return "";
  if (master.empty()) return absl::StrCat(link.name, " is a port of another interface");
  const std::string what = link.port_kind.empty() ? "" : absl::StrCat("the ", link.port_kind, " ");
  return absl::StrCat(link.name, " is a port of ", what, master, "; use an address of ", master);
}

std::string WhyNotWorking(const Link& link) {
  if (!link.up) return absl::StrCat(link.name, " is down (ip link set ", link.name, " up)");
  if (!link.running) return absl::StrCat(link.name, " has no carrier (look at cable and switch)");
  return "";
}

}  // namespace

std::string WhyRefused(const Link& link, const LinkAddress& address, absl::string_view master,
                       bool vip) {
  // What says most first: a VIP on a port of a bridge is a VIP.
  if (link.loopback) return WhyNotReal(link);
  if (vip) return "a VIP, which moves with the master";
  for (const std::string& why : {WhyNotReal(link), WhyNotItsOwn(link, master)}) {
    if (!why.empty()) return why;
  }
  if (address.v6) return "IPv6; a pair is made on IPv4 addresses";
  if (!address.label.empty() && address.label != link.name) {
    return absl::StrCat("a labelled alias (", address.label, "), which moves or goes with scripts");
  }
  if (address.secondary)
    return "a secondary address, which goes when the first of its network goes";
  return WhyNotWorking(link);
}

}  // namespace zcluster::machine
