// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/parse.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <cstring>

// Straight from the attributes: libnetfilter_conntrack's generic object costs four times as much,
// on the one thread that must keep up with the packets.
namespace zcluster::conntrack {
namespace {

// libmnl's loops are C macros with casts that C++ refuses.
template <typename Visit>
void ForEach(const void* begin, size_t size, Visit visit) {
  int left = static_cast<int>(size);
  for (const auto* at = static_cast<const nlattr*>(begin); mnl_attr_ok(at, left);
       left -= MNL_ALIGN(at->nla_len), at = mnl_attr_next(at)) {
    visit(*at);
  }
}

template <typename Visit>
void ForEachIn(const nlattr& nest, Visit visit) {
  ForEach(mnl_attr_get_payload(&nest), mnl_attr_get_payload_len(&nest), visit);
}

// An attribute that is too short reads as zero: the kernel sends none.
template <typename T>
T Read(const nlattr& attribute) {
  T value{};
  if (mnl_attr_get_payload_len(&attribute) >= sizeof value) {
    std::memcpy(&value, mnl_attr_get_payload(&attribute), sizeof value);
  }
  return value;
}
uint16_t Read16(const nlattr& attribute) { return ntohs(Read<uint16_t>(attribute)); }
uint32_t Read32(const nlattr& attribute) { return ntohl(Read<uint32_t>(attribute)); }

struct Tuple {
  Reply ends;
  uint8_t protocol = 0;
  uint8_t family = AF_INET;
  bool addresses = false;
  bool own_zone = false;
};

void ReadAddress(const nlattr& attribute, uint8_t family, Address& address, Tuple& tuple) {
  const size_t size = family == AF_INET ? 4 : 16;
  if (mnl_attr_get_payload_len(&attribute) != size) return;
  std::memcpy(address.data(), mnl_attr_get_payload(&attribute), size);
  tuple.family = family;
  tuple.addresses = true;
}

void ReadAddresses(const nlattr& nest, Tuple& tuple) {
  ForEachIn(nest, [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case CTA_IP_V4_SRC:
        ReadAddress(attribute, AF_INET, tuple.ends.source, tuple);
        break;
      case CTA_IP_V4_DST:
        ReadAddress(attribute, AF_INET, tuple.ends.destination, tuple);
        break;
      case CTA_IP_V6_SRC:
        ReadAddress(attribute, AF_INET6, tuple.ends.source, tuple);
        break;
      case CTA_IP_V6_DST:
        ReadAddress(attribute, AF_INET6, tuple.ends.destination, tuple);
        break;
      default:
        break;
    }
  });
}

void ReadPorts(const nlattr& nest, Tuple& tuple) {
  Reply& ends = tuple.ends;
  ForEachIn(nest, [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case CTA_PROTO_NUM:
        tuple.protocol = Read<uint8_t>(attribute);
        break;
      case CTA_PROTO_SRC_PORT:
      case CTA_PROTO_ICMP_ID:
      case CTA_PROTO_ICMPV6_ID:
        ends.source_port = Read16(attribute);
        break;
      case CTA_PROTO_DST_PORT:
        ends.destination_port = Read16(attribute);
        break;
      case CTA_PROTO_ICMP_TYPE:
      case CTA_PROTO_ICMPV6_TYPE:
        ends.destination_port =
            static_cast<uint16_t>(ends.destination_port | Read<uint8_t>(attribute) << 8);
        break;
      case CTA_PROTO_ICMP_CODE:
      case CTA_PROTO_ICMPV6_CODE:
        ends.destination_port =
            static_cast<uint16_t>(ends.destination_port | Read<uint8_t>(attribute));
        break;
      default:
        break;
    }
  });
}

Tuple ReadTuple(const nlattr& nest) {
  Tuple tuple;
  ForEachIn(nest, [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case CTA_TUPLE_IP:
        ReadAddresses(attribute, tuple);
        break;
      case CTA_TUPLE_PROTO:
        ReadPorts(attribute, tuple);
        break;
      case CTA_TUPLE_ZONE:
        tuple.own_zone = true;
        break;
      default:
        break;
    }
  });
  return tuple;
}

void ReadTcp(const nlattr& nest, Flow& flow) {
  ForEachIn(nest, [&](const nlattr& protocol) {
    if (mnl_attr_get_type(&protocol) != CTA_PROTOINFO_TCP) return;
    ForEachIn(protocol, [&](const nlattr& attribute) {
      switch (mnl_attr_get_type(&attribute)) {
        case CTA_PROTOINFO_TCP_STATE:
          flow.tcp.state = Read<uint8_t>(attribute);
          flow.has_tcp = true;
          break;
        case CTA_PROTOINFO_TCP_WSCALE_ORIGINAL:
          flow.tcp.original_scale = Read<uint8_t>(attribute);
          break;
        case CTA_PROTOINFO_TCP_WSCALE_REPLY:
          flow.tcp.reply_scale = Read<uint8_t>(attribute);
          break;
        case CTA_PROTOINFO_TCP_FLAGS_ORIGINAL:
          flow.tcp.original_flags = Read<nf_ct_tcp_flags>(attribute).flags;
          break;
        case CTA_PROTOINFO_TCP_FLAGS_REPLY:
          flow.tcp.reply_flags = Read<nf_ct_tcp_flags>(attribute).flags;
          break;
        default:
          break;
      }
    });
  });
}

bool Replicable(const Tuple& original, const Tuple& reply) {
  if (original.own_zone || reply.own_zone) return false;
  if (!original.addresses || !reply.addresses || original.family != reply.family) return false;
  switch (original.protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
      return true;
    case IPPROTO_ICMP:
      return original.family == AF_INET;
    case IPPROTO_ICMPV6:
      return original.family == AF_INET6;
    default:
      return false;
  }
}

}  // namespace

bool ParseFlow(const nlmsghdr& message, Flow& flow) {
  constexpr size_t kHeader = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
  if (message.nlmsg_len < kHeader || message.nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK) return false;
  const int kind = message.nlmsg_type & 0xff;
  if (kind != IPCTNL_MSG_CT_NEW && kind != IPCTNL_MSG_CT_DELETE) return false;

  flow = Flow{};
  flow.gone = kind == IPCTNL_MSG_CT_DELETE;
  Tuple original, reply;
  ForEach(reinterpret_cast<const char*>(&message) + kHeader, message.nlmsg_len - kHeader,
          [&](const nlattr& attribute) {
            switch (mnl_attr_get_type(&attribute)) {
              case CTA_TUPLE_ORIG:
                original = ReadTuple(attribute);
                break;
              case CTA_TUPLE_REPLY:
                reply = ReadTuple(attribute);
                break;
              case CTA_STATUS:
                flow.status = Read32(attribute) & kStatusBits;
                break;
              case CTA_TIMEOUT:
                flow.timeout = Read32(attribute);
                break;
              case CTA_MARK:
                flow.mark = Read32(attribute);
                break;
              case CTA_ZONE:
                flow.key.zone = Read16(attribute);
                break;
              case CTA_ID:
                flow.id = Read32(attribute);
                break;
              case CTA_PROTOINFO:
                ReadTcp(attribute, flow);
                break;
              default:
                break;
            }
          });
  if (!Replicable(original, reply)) return false;
  flow.key.source = original.ends.source;
  flow.key.destination = original.ends.destination;
  flow.key.source_port = original.ends.source_port;
  flow.key.destination_port = original.ends.destination_port;
  flow.key.protocol = original.protocol;
  flow.key.family = original.family;
  flow.reply = reply.ends;
  return true;
}

}  // namespace zcluster::conntrack
