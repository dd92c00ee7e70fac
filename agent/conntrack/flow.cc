// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/flow.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#include "absl/strings/str_cat.h"

namespace zcluster::conntrack {
namespace {

// The kernel's tables (icmp_pkt_to_tuple, nf_conntrack_proto_icmp.c and _icmpv6.c): what answers
// what. Others are never tracked as flows of their own, and stand for themselves.
uint8_t InverseIcmpType(uint8_t protocol, uint8_t type) {
  if (protocol == IPPROTO_ICMP) {
    switch (type) {
      case 8:
        return 0;  // echo
      case 0:
        return 8;
      case 13:
        return 14;  // timestamp
      case 14:
        return 13;
      case 15:
        return 16;  // information
      case 16:
        return 15;
      case 17:
        return 18;  // address mask
      case 18:
        return 17;
      default:
        return type;
    }
  }
  switch (type) {
    case 128:
      return 129;  // echo
    case 129:
      return 128;
    case 139:
      return 140;  // node information
    case 140:
      return 139;
    default:
      return type;
  }
}

std::string AddressText(const Address& address, uint8_t family) {
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(family, address.data(), text, sizeof text);
  return text;
}

std::string ProtocolText(uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_UDPLITE:
      return "udplite";
    case IPPROTO_ICMP:
      return "icmp";
    case IPPROTO_ICMPV6:
      return "icmpv6";
    case IPPROTO_SCTP:
      return "sctp";
    case IPPROTO_GRE:
      return "gre";
    default:
      return absl::StrCat("protocol ", protocol);
  }
}

}  // namespace

Reply Inverse(const FlowKey& key) {
  Reply reply{key.destination, key.source, key.destination_port, key.source_port};
  if (key.IsIcmp()) {
    const auto type = static_cast<uint8_t>(key.destination_port >> 8);
    reply.source_port = key.source_port;
    reply.destination_port = static_cast<uint16_t>(InverseIcmpType(key.protocol, type) << 8 |
                                                   (key.destination_port & 0xff));
  }
  return reply;
}

Nat NatOf(const Flow& flow) {
  const Reply plain = Inverse(flow.key);
  Nat nat{flow.reply.destination != plain.destination, flow.reply.source != plain.source};
  if (flow.key.IsIcmp()) {
    nat.source |= flow.reply.source_port != plain.source_port;  // only SNAT changes the id
  } else {
    nat.source |= flow.reply.destination_port != plain.destination_port;
    nat.destination |= flow.reply.source_port != plain.source_port;
  }
  return nat;
}

Tcp Lasting(Tcp tcp) {
  constexpr uint8_t kNegotiated =
      IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_CLOSE_INIT;
  tcp.original_flags &= kNegotiated;
  tcp.reply_flags &= kNegotiated;
  if ((tcp.original_flags & tcp.reply_flags & IP_CT_TCP_FLAG_WINDOW_SCALE) == 0) {
    tcp.original_scale = 0;
    tcp.reply_scale = 0;
  }
  return tcp;
}

std::string Text(const FlowKey& key) {
  const bool v6 = key.family == AF_INET6;
  const auto end = [&](const Address& address, uint16_t port) {
    const std::string text = AddressText(address, key.family);
    return v6 ? absl::StrCat("[", text, "]:", port) : absl::StrCat(text, ":", port);
  };
  return absl::StrCat(ProtocolText(key.protocol), " ", end(key.source, key.source_port), " -> ",
                      end(key.destination, key.destination_port),
                      key.zone != 0 ? absl::StrCat(" zone ", key.zone) : "");
}

bool ParseAddress(absl::string_view text, Address& address, uint8_t& family) {
  const std::string terminated(text);
  address = {};
  family = AF_INET;
  if (::inet_pton(AF_INET, terminated.c_str(), address.data()) == 1) return true;
  family = AF_INET6;
  return ::inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1;
}

}  // namespace zcluster::conntrack
