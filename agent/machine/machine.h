// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// What this machine is, before and while it is in a pair: its addresses, and what it lacks. In the
// calling thread's network namespace. Each call is a few short exchanges with the kernel.
namespace zcluster::machine {

// An address that this machine has.
struct Address {
  std::string address;  // canonical, without prefix length
  int prefix_length = 0;
  bool v6 = false;
  std::string interface;
  // Why no pair can be made on it, a clause without a full stop; empty: it can.
  std::string refused;
  bool vip = false;  // one of the pair's
};

// All IPv4 and IPv6 addresses of global scope and lo's, by interface. One can be used if it is IPv4
// and its interface is physical, a bond, a VLAN, a bridge's master, or a veth whose other end is in
// another namespace, is up, and the address is the interface's own. Refused, each with its reason:
// lo, secondary and labelled ones, those in `vips` (canonical, without length), those on a port of
// a bridge, macvlan, tun, dummy and the like, IPv6.
absl::StatusOr<std::vector<Address>> Addresses(const std::vector<std::string>& vips);

// The one of `addresses` that is `address`; null if none is.
const Address* Find(const std::vector<Address>& addresses, absl::string_view address);

// Whether `other` (canonical) lies in the network of `address`.
bool SameNetwork(const Address& address, absl::string_view other);

// Our address from which `other` (canonical), a neighbour, is reached: the one whose network holds
// it, by the longest prefix, of those that are neither VIPs nor lo's; null if none does.
const Address* SourceFor(const std::vector<Address>& addresses, absl::string_view other);

// The interface whose network holds `vip` (canonical): the longest prefix, of addresses that are
// not VIPs themselves (where the master has them must not decide where it has others) nor lo's;
// empty if none.
std::string InterfaceFor(const std::vector<Address>& addresses, absl::string_view vip);

// What this machine lacks to be a node, one sentence each that ends in the way out; empty: nothing.
// keepalived and nft are there and can be run, the kernel tracks connections in this namespace and
// speaks ctnetlink, nobody else listens on `ports`.
struct Needs {
  std::string keepalived = "/usr/sbin/keepalived";
  std::string nft = "/usr/sbin/nft";
  std::vector<int> ports;
};
std::vector<std::string> Lacks(const Needs& needs);

}  // namespace zcluster::machine
