// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

namespace zcluster::conntrack {
namespace {

nlmsghdr* PutHeader(void* at, int kind, int flags, uint32_t sequence, uint8_t family) {
  nlmsghdr* header = mnl_nlmsg_put_header(at);
  header->nlmsg_type = static_cast<uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | kind);
  header->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  header->nlmsg_seq = sequence;
  auto* extra = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  extra->nfgen_family = family;
  extra->version = NFNETLINK_V0;
  extra->res_id = 0;
  return header;
}

void PutPorts(nlmsghdr* header, const FlowKey& key, uint16_t source, uint16_t destination) {
  mnl_attr_put_u8(header, CTA_PROTO_NUM, key.protocol);
  if (!key.IsIcmp()) {
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

void PutTuple(nlmsghdr* header, uint16_t type, const FlowKey& key, const Reply& ends) {
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
  mnl_attr_nest_end(header, tuple);
}

void PutKey(nlmsghdr* header, const FlowKey& key) {
  PutTuple(header, CTA_TUPLE_ORIG, key,
           {key.source, key.destination, key.source_port, key.destination_port});
  if (key.zone != 0) mnl_attr_put_u16(header, CTA_ZONE, htons(key.zone));
}

void PutManip(nlmsghdr* header, uint16_t type, const FlowKey& key, const Address& address,
              uint16_t port) {
  const bool v4 = key.family == AF_INET;
  nlattr* nat = mnl_attr_nest_start(header, type);
  mnl_attr_put(header, v4 ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, key.AddressSize(), address.data());
  mnl_attr_put(header, v4 ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP, key.AddressSize(), address.data());
  nlattr* range = mnl_attr_nest_start(header, CTA_NAT_PROTO);
  mnl_attr_put_u16(header, CTA_PROTONAT_PORT_MIN, htons(port));
  mnl_attr_put_u16(header, CTA_PROTONAT_PORT_MAX, htons(port));
  mnl_attr_nest_end(header, range);
  mnl_attr_nest_end(header, nat);
}

// NAT is asked for as a rule would: the kernel rewrites the plain reply direction and sets the
// status bits itself, which nothing else can set. A flow that went through NAT's hooks unchanged is
// asked to stay as it is: that sets its two DONE bits, and the rules are not consulted anew after a
// takeover.
void PutNat(nlmsghdr* header, const Flow& flow) {
  constexpr uint32_t kNat = IPS_SRC_NAT | IPS_DST_NAT | IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
  const FlowKey& key = flow.key;
  const Nat nat = NatOf(flow);
  const bool icmp = key.IsIcmp();
  if (nat.source) {
    PutManip(header, CTA_NAT_SRC, key, flow.reply.destination,
             icmp ? flow.reply.source_port : flow.reply.destination_port);
  }
  if (nat.destination || (!nat.source && (flow.status & kNat) != 0)) {
    PutManip(header, CTA_NAT_DST, key, flow.reply.source,
             icmp ? key.source_port : flow.reply.source_port);
  }
}

void PutTcp(nlmsghdr* header, const Flow& flow) {
  if (flow.key.protocol != IPPROTO_TCP || !flow.has_tcp) return;
  const auto flags = [](uint8_t seen) {
    return nf_ct_tcp_flags{static_cast<uint8_t>(seen | IP_CT_TCP_FLAG_BE_LIBERAL), 0xff};
  };
  const nf_ct_tcp_flags original = flags(flow.tcp.original_flags);
  const nf_ct_tcp_flags reply = flags(flow.tcp.reply_flags);
  nlattr* info = mnl_attr_nest_start(header, CTA_PROTOINFO);
  nlattr* tcp = mnl_attr_nest_start(header, CTA_PROTOINFO_TCP);
  mnl_attr_put_u8(header, CTA_PROTOINFO_TCP_STATE, flow.tcp.state);
  mnl_attr_put_u8(header, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, flow.tcp.original_scale);
  mnl_attr_put_u8(header, CTA_PROTOINFO_TCP_WSCALE_REPLY, flow.tcp.reply_scale);
  mnl_attr_put(header, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof original, &original);
  mnl_attr_put(header, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof reply, &reply);
  mnl_attr_nest_end(header, tcp);
  mnl_attr_nest_end(header, info);
}

void PutState(nlmsghdr* header, const Flow& flow, uint32_t timeout) {
  const uint32_t status = (flow.status & (IPS_SEEN_REPLY | IPS_ASSURED)) | IPS_CONFIRMED;
  mnl_attr_put_u32(header, CTA_STATUS, htonl(status));
  mnl_attr_put_u32(header, CTA_TIMEOUT, htonl(timeout));
  mnl_attr_put_u32(header, CTA_MARK, htonl(flow.mark));
  PutTcp(header, flow);
}

}  // namespace

size_t PutCreate(void* at, uint32_t sequence, const Flow& flow, uint32_t timeout) {
  nlmsghdr* header =
      PutHeader(at, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, sequence, flow.key.family);
  PutKey(header, flow.key);
  PutTuple(header, CTA_TUPLE_REPLY, flow.key, Inverse(flow.key));
  PutNat(header, flow);
  PutState(header, flow, timeout);
  return header->nlmsg_len;
}

size_t PutUpdate(void* at, uint32_t sequence, const Flow& flow, uint32_t timeout) {
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_CT_NEW, 0, sequence, flow.key.family);
  PutKey(header, flow.key);
  PutState(header, flow, timeout);
  return header->nlmsg_len;
}

size_t PutTimeout(void* at, uint32_t sequence, const FlowKey& key, uint32_t timeout) {
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_CT_NEW, 0, sequence, key.family);
  PutKey(header, key);
  mnl_attr_put_u32(header, CTA_TIMEOUT, htonl(timeout));
  return header->nlmsg_len;
}

size_t PutLoosen(void* at, uint32_t sequence, const FlowKey& key) {
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_CT_NEW, 0, sequence, key.family);
  PutKey(header, key);
  const nf_ct_tcp_flags liberal{IP_CT_TCP_FLAG_BE_LIBERAL, IP_CT_TCP_FLAG_BE_LIBERAL};
  nlattr* info = mnl_attr_nest_start(header, CTA_PROTOINFO);
  nlattr* tcp = mnl_attr_nest_start(header, CTA_PROTOINFO_TCP);
  mnl_attr_put(header, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof liberal, &liberal);
  mnl_attr_put(header, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof liberal, &liberal);
  mnl_attr_nest_end(header, tcp);
  mnl_attr_nest_end(header, info);
  return header->nlmsg_len;
}

size_t PutDelete(void* at, uint32_t sequence, const FlowKey& key) {
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_CT_DELETE, 0, sequence, key.family);
  PutKey(header, key);
  return header->nlmsg_len;
}

size_t PutDeleteByReply(void* at, uint32_t sequence, const Flow& flow) {
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_CT_DELETE, 0, sequence, flow.key.family);
  PutTuple(header, CTA_TUPLE_REPLY, flow.key, flow.reply);
  if (flow.key.zone != 0) mnl_attr_put_u16(header, CTA_ZONE, htons(flow.key.zone));
  return header->nlmsg_len;
}

size_t PutGet(void* at, uint32_t sequence, const FlowKey& key) {
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_CT_GET, 0, sequence, key.family);
  PutKey(header, key);
  return header->nlmsg_len;
}

size_t PutDump(void* at, uint32_t sequence) {
  return PutHeader(at, IPCTNL_MSG_CT_GET, NLM_F_DUMP, sequence, AF_UNSPEC)->nlmsg_len;
}

}  // namespace zcluster::conntrack
