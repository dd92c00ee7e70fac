// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "agent/conntrack/flow_key.h"
#include "agent/conntrack/rare.h"

// A connection as the kernel tracks it. Plain values: copy them, compare them, use them from any
// thread.
namespace zcluster::conntrack {

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
  bool shifted =
      false;  // as read: its sequence numbers are moved, and the message does not say how
  RarePtr rare;

  // Nothing is missing that the flow could not go on without.
  bool Complete() const {
    if (key.protocol == IPPROTO_TCP) return has_tcp;
    return key.protocol != IPPROTO_SCTP || (rare && rare->Has(Rare::kSctp));
  }
};

// The status bits that matter to a peer: SEEN_REPLY, ASSURED, CONFIRMED, and the four of NAT.
// EXPECTED goes with Rare::kMaster, SEQ_ADJUST with Rare::kShift, the others are this kernel's own.
inline constexpr uint32_t kStatusBits = 0x1be;

// The zone in which answers are looked for.
inline uint16_t ReplyZone(const Flow& flow) {
  if (!flow.rare || flow.rare->zone_direction == ZoneDirection::kBoth) return flow.key.zone;
  return flow.rare->zone_direction == ZoneDirection::kReply ? flow.rare->reply_zone : uint16_t{0};
}

// What a node of the first version takes: TCP, UDP, ICMP and ICMPv6, whatever else they have left
// out, but no zone of one direction.
inline bool IsPlain(const Flow& flow) {
  if (flow.rare && flow.rare->zone_direction != ZoneDirection::kBoth) return false;
  return flow.key.protocol == IPPROTO_TCP || flow.key.protocol == IPPROTO_UDP || flow.key.IsIcmp();
}

// What answers look like without NAT.
Reply Inverse(const FlowKey& key);

// NAT as the difference between a flow's reply and the inverse of its original direction.
struct Nat {
  bool source = false;       // SNAT: to reply.destination
  bool destination = false;  // DNAT: to reply.source
};
Nat NatOf(const Flow& flow);

// What of TCP's state both nodes' kernels have alike: packets alone change the rest (whether data
// waits for its ACK, the highest ACK), and scales count only if both sides offered one (RFC 7323,
// 2.2).
Tcp Lasting(Tcp tcp);

// "tcp 192.0.2.1:1024 -> 198.51.100.1:443", for logs and tests.
std::string Text(const FlowKey& key);

// The address in `text`, which must be IPv4 or IPv6 without a zone; false if it is not.
bool ParseAddress(absl::string_view text, Address& address, uint8_t& family);

}  // namespace zcluster::conntrack
