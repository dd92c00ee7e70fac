// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace zcluster::conntrack {

// An IP address in network order. IPv4 fills the first four bytes, the rest is zero.
using Address = std::array<uint8_t, 16>;

// What the kernel's tracking takes for an end of a flow of this protocol, beside the address.
enum class PortKind {
  kPorts,  // GRE: keys, which are 0 but for PPTP
  kIcmp,
  kNone,  // a protocol that the kernel does not know: flows are pairs of addresses
};

// What names a flow: its original direction. No padding, so that it hashes and compares as bytes.
struct FlowKey {
  Address source{};
  Address destination{};
  uint16_t source_port = 0;       // ICMP: the id
  uint16_t destination_port = 0;  // ICMP: type << 8 | code
  uint16_t zone = 0;              // in this direction
  uint8_t protocol = 0;           // IPPROTO_*
  uint8_t family = AF_INET;       // or AF_INET6

  bool operator==(const FlowKey&) const = default;
  PortKind ports() const {
    switch (protocol) {
      case IPPROTO_TCP:
      case IPPROTO_UDP:
      case IPPROTO_UDPLITE:
      case IPPROTO_SCTP:
      case IPPROTO_GRE:
        return PortKind::kPorts;
      case IPPROTO_ICMP:
      case IPPROTO_ICMPV6:
        return PortKind::kIcmp;
      default:
        return PortKind::kNone;
    }
  }
  bool IsIcmp() const { return ports() == PortKind::kIcmp; }
  size_t AddressSize() const { return family == AF_INET ? 4 : 16; }

  template <typename H>
  friend H AbslHashValue(H state, const FlowKey& key) {
    return H::combine_contiguous(std::move(state), reinterpret_cast<const unsigned char*>(&key),
                                 sizeof key);
  }
};
static_assert(std::has_unique_object_representations_v<FlowKey> && sizeof(FlowKey) == 40);

// Which protocols are replicated, by family. Not DCCP: kernels without its tracker take its flows
// as mere pairs of addresses, and two of them as one.
inline bool IsReplicable(uint8_t protocol, uint8_t family) {
  switch (protocol) {
    case 0:
    case IPPROTO_DCCP:
      return false;
    case IPPROTO_ICMP:
    case IPPROTO_GRE:  // the kernel tracks none over IPv6
      return family == AF_INET;
    case IPPROTO_ICMPV6:
      return family == AF_INET6;
    default:
      return true;
  }
}

}  // namespace zcluster::conntrack
