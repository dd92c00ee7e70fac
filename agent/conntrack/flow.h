// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"

// A connection as the kernel tracks it. Plain values: copy them, compare them, use them from any
// thread.
namespace zcluster::conntrack {

// An IP address in network order. IPv4 fills the first four bytes, the rest is zero.
using Address = std::array<uint8_t, 16>;

// What names a flow: its original direction. No padding, so that it hashes and compares as bytes.
struct FlowKey {
  Address source{};
  Address destination{};
  uint16_t source_port = 0;       // ICMP: the id
  uint16_t destination_port = 0;  // ICMP: type << 8 | code
  uint16_t zone = 0;
  uint8_t protocol = 0;      // IPPROTO_*
  uint8_t family = AF_INET;  // or AF_INET6

  bool operator==(const FlowKey&) const = default;
  bool IsIcmp() const { return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6; }
  size_t AddressSize() const { return family == AF_INET ? 4 : 16; }

  template <typename H>
  friend H AbslHashValue(H state, const FlowKey& key) {
    return H::combine_contiguous(std::move(state), reinterpret_cast<const unsigned char*>(&key),
                                 sizeof key);
  }
};
static_assert(std::has_unique_object_representations_v<FlowKey> && sizeof(FlowKey) == 40);

// The direction in which answers come.
struct Reply {
  Address source{};
  Address destination{};
  uint16_t source_port = 0;       // ICMP: the id
  uint16_t destination_port = 0;  // ICMP: type << 8 | code
  bool operator==(const Reply&) const = default;
};

// What TCP's tracking needs to go on in the middle of a connection.
struct Tcp {
  uint8_t state = 0;  // TCP_CONNTRACK_*
  uint8_t original_scale = 0;
  uint8_t reply_scale = 0;
  uint8_t original_flags = 0;  // IP_CT_TCP_FLAG_*
  uint8_t reply_flags = 0;
  bool operator==(const Tcp&) const = default;
};

struct Flow {
  FlowKey key;
  Reply reply;
  uint32_t status = 0;  // IPS_*, within kStatusBits
  uint32_t mark = 0;
  uint32_t timeout = 0;  // seconds left; as read from this node's kernel, never replicated
  uint32_t id = 0;       // this kernel's name for this life of the flow, never replicated
  Tcp tcp;
  bool has_tcp = false;  // an update event that is not about TCP's state leaves it out
  bool gone = false;     // then only key and id mean anything

  // Nothing of the flow is missing.
  bool Complete() const { return has_tcp || key.protocol != IPPROTO_TCP; }
};

// The status bits that matter to a peer: SEEN_REPLY, ASSURED, CONFIRMED, and the four of NAT.
// EXPECTED would need the master flow, the others are this kernel's own.
inline constexpr uint32_t kStatusBits = 0x1be;

// What answers look like without NAT.
Reply Inverse(const FlowKey& key);

// NAT as the difference between a flow's reply and the inverse of its original direction.
struct Nat {
  bool source = false;       // SNAT: to reply.destination
  bool destination = false;  // DNAT: to reply.source
};
Nat NatOf(const Flow& flow);

// "tcp 192.0.2.1:1024 -> 198.51.100.1:443", for logs and tests.
std::string Text(const FlowKey& key);

// The address in `text`, which must be IPv4 or IPv6 without a zone; false if it is not.
bool ParseAddress(absl::string_view text, Address& address, uint8_t& family);

}  // namespace zcluster::conntrack
