// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

// What rtnetlink says of this machine's interfaces and addresses, not judged. In the calling
// thread's network namespace.
namespace zcluster::machine {

// An interface.
struct Link {
  int index = 0;
  std::string name;
  std::string kind;             // of a software device: "bridge", "vlan"; empty: none was given
  int type = 0;                 // ARPHRD_ETHER and so on
  bool loopback = false;        // it is lo
  bool up = false;              // an administrator wants it
  bool running = false;         // and it has a carrier
  bool on_a_bus = false;        // PCI, virtio, USB: a device is behind it. From Linux 5.14 on
  int master = 0;               // index of the bridge, bond or VRF that it belongs to; 0: none
  std::string port_kind;        // what that master is: "bridge", "bond", "vrf"; some do not say
  bool linked_outside = false;  // what it is linked to (a veth's other end) is in another namespace
};

// An address of an interface.
struct LinkAddress {
  int index = 0;     // of the interface
  std::string text;  // canonical, without prefix length
  int prefix_length = 0;
  bool v6 = false;
  bool global = false;     // scope; others are of one wire, or of this host
  bool secondary = false;  // IPv4: of a network in which the interface has an older address
  std::string label;       // IPv4: the interface's name, or that of an alias
};

// In the kernel's order, which is that of the index for interfaces.
absl::StatusOr<std::vector<Link>> Links();
absl::StatusOr<std::vector<LinkAddress>> LinkAddresses();

}  // namespace zcluster::machine
