// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/tuple.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

namespace zcluster::conntrack {
namespace {

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

void PutPorts(nlmsghdr* header, const FlowKey& key, uint16_t source, uint16_t destination) {
  mnl_attr_put_u8(header, CTA_PROTO_NUM, key.protocol);
  if (key.ports() == PortKind::kNone) return;
  if (key.ports() == PortKind::kPorts) {
    mnl_attr_put_u16(header, CTA_PROTO_SRC_PORT, htons(source));
    mnl_attr_put_u16(header, CTA_PROTO_DST_PORT, htons(destination));
    return;
  }
  const bool v4 = key.protocol == IPPROTO_ICMP;
  mnl_attr_put_u16(header, v4 ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID, htons(source));
  mnl_attr_put_u8(header, v4 ? CTA_PROTO_ICMP_TYPE : CTA_PROTO_ICMPV6_TYPE,
                  static_cast<uint8_t>(destination >> 8));
  mnl_attr_put_u8(header, v4 ? CTA_PROTO_ICMP_CODE : CTA_PROTO_ICMPV6_CODE,
                  static_cast<uint8_t>(destination & 0xff));
}

}  // namespace

uint16_t Read16(const nlattr& attribute) { return ntohs(Read<uint16_t>(attribute)); }
uint32_t Read32(const nlattr& attribute) { return ntohl(Read<uint32_t>(attribute)); }

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
        tuple.zone = Read16(attribute);
        break;
      default:
        break;
    }
  });
  return tuple;
}

nlmsghdr* PutHeader(void* at, int subsystem, int kind, int flags, uint32_t sequence,
                    uint8_t family) {
  nlmsghdr* header = mnl_nlmsg_put_header(at);
  header->nlmsg_type = static_cast<uint16_t>(subsystem << 8 | kind);
  header->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  header->nlmsg_seq = sequence;
  auto* extra = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  extra->nfgen_family = family;
  extra->version = NFNETLINK_V0;
  extra->res_id = 0;
  return header;
}

FlowKey KeyOf(const Tuple& tuple) {
  FlowKey key;
  key.source = tuple.ends.source;
  key.destination = tuple.ends.destination;
  key.source_port = tuple.ends.source_port;
  key.destination_port = tuple.ends.destination_port;
  key.protocol = tuple.protocol;
  key.family = tuple.family;
  return key;
}

Reply EndsOf(const FlowKey& key) {
  return {key.source, key.destination, key.source_port, key.destination_port};
}

void PutTuple(nlmsghdr* header, uint16_t type, const FlowKey& key, const Reply& ends,
              const uint16_t* zone) {
  const bool v4 = key.family == AF_INET;
  nlattr* tuple = mnl_attr_nest_start(header, type);
  nlattr* addresses = mnl_attr_nest_start(header, CTA_TUPLE_IP);
  mnl_attr_put(header, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, key.AddressSize(), ends.source.data());
  mnl_attr_put(header, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, key.AddressSize(),
               ends.destination.data());
  mnl_attr_nest_end(header, addresses);
  nlattr* ports = mnl_attr_nest_start(header, CTA_TUPLE_PROTO);
  PutPorts(header, key, ends.source_port, ends.destination_port);
  mnl_attr_nest_end(header, ports);
  if (zone != nullptr) mnl_attr_put_u16(header, CTA_TUPLE_ZONE, htons(*zone));
  mnl_attr_nest_end(header, tuple);
}

}  // namespace zcluster::conntrack
