// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/message.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "agent/conntrack/tuple.h"

namespace zcluster::conntrack {
namespace {

nlmsghdr* PutHeader(void* at, int kind, int flags, uint32_t sequence, uint8_t family) {
  return conntrack::PutHeader(at, NFNL_SUBSYS_CTNETLINK, kind, flags, sequence, family);
}

// Names a flow that exists. Zones that hold in one direction only need not be told apart: ours is
// that of the original one.
void PutKey(nlmsghdr* header, const FlowKey& key) {
  PutTuple(header, CTA_TUPLE_ORIG, key, EndsOf(key));
  if (key.zone != 0) mnl_attr_put_u16(header, CTA_ZONE, htons(key.zone));
}

void PutManip(nlmsghdr* header, uint16_t type, const FlowKey& key, const Address& address,
              uint16_t port) {
  const bool v4 = key.family == AF_INET;
  nlattr* nat = mnl_attr_nest_start(header, type);
  mnl_attr_put(header, v4 ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, key.AddressSize(), address.data());
  mnl_attr_put(header, v4 ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP, key.AddressSize(), address.data());
  if (key.ports() != PortKind::kNone) {
    nlattr* range = mnl_attr_nest_start(header, CTA_NAT_PROTO);
    mnl_attr_put_u16(header, CTA_PROTONAT_PORT_MIN, htons(port));
    mnl_attr_put_u16(header, CTA_PROTONAT_PORT_MAX, htons(port));
    mnl_attr_nest_end(header, range);
  }
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

void PutSctp(nlmsghdr* header, const Rare& rare) {
  nlattr* info = mnl_attr_nest_start(header, CTA_PROTOINFO);
  nlattr* sctp = mnl_attr_nest_start(header, CTA_PROTOINFO_SCTP);
  mnl_attr_put_u8(header, CTA_PROTOINFO_SCTP_STATE, rare.sctp_state);
  mnl_attr_put_u32(header, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, htonl(rare.original_tag));
  mnl_attr_put_u32(header, CTA_PROTOINFO_SCTP_VTAG_REPLY, htonl(rare.reply_tag));
  mnl_attr_nest_end(header, sctp);
  mnl_attr_nest_end(header, info);
}

void PutShift(nlmsghdr* header, uint16_t type, const SequenceShift& shift) {
  nlattr* nest = mnl_attr_nest_start(header, type);
  mnl_attr_put_u32(header, CTA_SEQADJ_CORRECTION_POS, htonl(shift.position));
  mnl_attr_put_u32(header, CTA_SEQADJ_OFFSET_BEFORE, htonl(shift.before));
  mnl_attr_put_u32(header, CTA_SEQADJ_OFFSET_AFTER, htonl(shift.after));
  mnl_attr_nest_end(header, nest);
}

// What may change in the life of a flow.
void PutChanging(nlmsghdr* header, const Rare& rare) {
  if (rare.Has(Rare::kSctp)) PutSctp(header, rare);
  if (rare.Has(Rare::kShift)) {
    PutShift(header, CTA_SEQ_ADJ_ORIG, rare.original_shift);
    PutShift(header, CTA_SEQ_ADJ_REPLY, rare.reply_shift);
  }
  if (rare.Has(Rare::kLabels))
    mnl_attr_put(header, CTA_LABELS, rare.labels.size(), rare.labels.data());
}

// What is made with the flow. (The kernel lets no update name it, but for a helper that is there.)
void PutLasting(nlmsghdr* header, const Rare& rare) {
  if (rare.helper[0] != 0) {
    nlattr* help = mnl_attr_nest_start(header, CTA_HELP);
    mnl_attr_put_strz(header, CTA_HELP_NAME, rare.helper.data());
    mnl_attr_nest_end(header, help);
  }
  if (rare.Has(Rare::kMaster)) PutTuple(header, CTA_TUPLE_MASTER, rare.master, EndsOf(rare.master));
}

void PutState(nlmsghdr* header, const Flow& flow, uint32_t status, uint32_t timeout) {
  status |= (flow.status & (IPS_SEEN_REPLY | IPS_ASSURED)) | IPS_CONFIRMED;
  mnl_attr_put_u32(header, CTA_STATUS, htonl(status));
  if (timeout != 0) mnl_attr_put_u32(header, CTA_TIMEOUT, htonl(timeout));
  mnl_attr_put_u32(header, CTA_MARK, htonl(flow.mark));
  PutTcp(header, flow);
  if (flow.rare) PutChanging(header, *flow.rare);
}

}  // namespace

size_t PutCreate(void* at, uint32_t sequence, const Flow& flow, uint32_t timeout) {
  nlmsghdr* header =
      PutHeader(at, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, sequence, flow.key.family);
  const ZoneDirection zone = flow.rare ? flow.rare->zone_direction : ZoneDirection::kBoth;
  const uint16_t reply_zone = ReplyZone(flow);
  PutTuple(header, CTA_TUPLE_ORIG, flow.key, EndsOf(flow.key),
           zone == ZoneDirection::kOriginal ? &flow.key.zone : nullptr);
  PutTuple(header, CTA_TUPLE_REPLY, flow.key, Inverse(flow.key),
           zone == ZoneDirection::kReply ? &reply_zone : nullptr);
  if (zone == ZoneDirection::kBoth && reply_zone != 0)
    mnl_attr_put_u16(header, CTA_ZONE, htons(reply_zone));
  PutNat(header, flow);
  PutState(header, flow, flow.key.protocol == IPPROTO_GRE ? uint32_t{IPS_FIXED_TIMEOUT} : 0,
           timeout);
  if (flow.rare) PutLasting(header, *flow.rare);
  return header->nlmsg_len;
}

size_t PutUpdate(void* at, uint32_t sequence, const Flow& flow, uint32_t timeout) {
  nlmsghdr* header = PutHeader(at, IPCTNL_MSG_CT_NEW, 0, sequence, flow.key.family);
  PutKey(header, flow.key);
  const bool related = flow.rare && flow.rare->Has(Rare::kMaster);
  // A timeout that is fixed would make all of it fail (EPERM).
  const bool fixed = flow.key.protocol == IPPROTO_GRE;
  PutState(header, flow, related ? uint32_t{IPS_EXPECTED} : 0, fixed ? 0 : timeout);
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
  if (ReplyZone(flow) != 0) mnl_attr_put_u16(header, CTA_ZONE, htons(ReplyZone(flow)));
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
