// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/parse.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "agent/conntrack/tuple.h"

// Straight from the attributes: libnetfilter_conntrack's generic object costs four times as much,
// on the one thread that must keep up with the packets.
namespace zcluster::conntrack {
namespace {

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

void ReadSctp(const nlattr& nest, Rare& rare) {
  ForEachIn(nest, [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case CTA_PROTOINFO_SCTP_STATE:
        rare.sctp_state = Read<uint8_t>(attribute);
        rare.told |= Rare::kSctp;
        break;
      case CTA_PROTOINFO_SCTP_VTAG_ORIGINAL:
        rare.original_tag = Read32(attribute);
        break;
      case CTA_PROTOINFO_SCTP_VTAG_REPLY:
        rare.reply_tag = Read32(attribute);
        break;
      default:
        break;
    }
  });
}

// As much of an attribute as fits; the rest stays as it is.
template <typename Bytes>
void ReadBytes(const nlattr& attribute, Bytes& bytes) {
  std::memcpy(bytes.data(), mnl_attr_get_payload(&attribute),
              std::min<size_t>(mnl_attr_get_payload_len(&attribute), bytes.size()));
}

void ReadHelper(const nlattr& nest, Rare& rare) {
  ForEachIn(nest, [&](const nlattr& attribute) {
    if (mnl_attr_get_type(&attribute) != CTA_HELP_NAME) return;
    ReadBytes(attribute, rare.helper);
    rare.helper.back() = 0;
  });
}

void ReadShift(const nlattr& nest, SequenceShift& shift) {
  ForEachIn(nest, [&](const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case CTA_SEQADJ_CORRECTION_POS:
        shift.position = Read32(attribute);
        break;
      case CTA_SEQADJ_OFFSET_BEFORE:
        shift.before = Read32(attribute);
        break;
      case CTA_SEQADJ_OFFSET_AFTER:
        shift.after = Read32(attribute);
        break;
      default:
        break;
    }
  });
}

void ReadMaster(const nlattr& nest, Rare& rare) {
  const Tuple master = ReadTuple(nest);
  if (!master.addresses || !IsReplicable(master.protocol, master.family)) return;
  rare.master = KeyOf(master);
  rare.told |= Rare::kMaster;
}

// Whatever few flows have, made when the first of it is met.
class RareReader {
 public:
  explicit RareReader(bool labels) : labels_(labels) {}

  void Read(const nlattr& attribute) {
    switch (mnl_attr_get_type(&attribute)) {
      case CTA_HELP:
        return ReadHelper(attribute, rare());
      case CTA_TUPLE_MASTER:
        return ReadMaster(attribute, rare());
      case CTA_SEQ_ADJ_ORIG:
        rare().told |= Rare::kShift;
        return ReadShift(attribute, rare().original_shift);
      case CTA_SEQ_ADJ_REPLY:
        rare().told |= Rare::kShift;
        return ReadShift(attribute, rare().reply_shift);
      case CTA_LABELS:
        if (!labels_) return;
        rare().told |= Rare::kLabels;
        return ReadBytes(attribute, rare().labels);
      default:
        return;
    }
  }
  void ReadProtocol(const nlattr& nest) {
    ForEachIn(nest, [this](const nlattr& protocol) {
      if (mnl_attr_get_type(&protocol) == CTA_PROTOINFO_SCTP) ReadSctp(protocol, rare());
    });
  }
  // Zones that hold in one direction are told within the tuples.
  void SetZones(const Tuple& original, const Tuple& reply, Flow& flow) {
    if (original.zone) {
      flow.key.zone = *original.zone;
      rare().zone_direction = ZoneDirection::kOriginal;
    } else if (reply.zone) {
      rare().reply_zone = *reply.zone;
      rare().zone_direction = ZoneDirection::kReply;
    }
  }
  bool Has(uint32_t part) const { return rare_ && rare_->Has(part); }
  // Nothing for a flow that has nothing of it.
  RarePtr Take() const {
    return rare_ && *rare_ != Rare{} ? std::make_shared<const Rare>(*rare_) : nullptr;
  }

 private:
  Rare& rare() { return rare_ ? *rare_ : rare_.emplace(); }

  const bool labels_;
  std::optional<Rare> rare_;
};

}  // namespace

bool ParseFlow(const nlmsghdr& message, Flow& flow, bool labels) {
  constexpr size_t kHeader = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
  if (message.nlmsg_len < kHeader || message.nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK) return false;
  const int kind = message.nlmsg_type & 0xff;
  if (kind != IPCTNL_MSG_CT_NEW && kind != IPCTNL_MSG_CT_DELETE) return false;

  flow = Flow{};
  flow.gone = kind == IPCTNL_MSG_CT_DELETE;
  Tuple original, reply;
  RareReader rare(labels);
  uint16_t zone = 0;
  uint32_t status = 0;
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
                status = Read32(attribute);
                break;
              case CTA_TIMEOUT:
                flow.timeout = Read32(attribute);
                break;
              case CTA_MARK:
                flow.mark = Read32(attribute);
                break;
              case CTA_ZONE:
                zone = Read16(attribute);
                break;
              case CTA_ID:
                flow.id = Read32(attribute);
                break;
              case CTA_PROTOINFO:
                ReadTcp(attribute, flow);
                if (original.protocol == IPPROTO_SCTP) rare.ReadProtocol(attribute);
                break;
              default:
                rare.Read(attribute);
            }
          });
  if (!original.addresses || !reply.addresses || original.family != reply.family) return false;
  if (!IsReplicable(original.protocol, original.family)) return false;
  flow.key = KeyOf(original);
  flow.key.zone = zone;
  flow.reply = reply.ends;
  flow.status = status & kStatusBits;
  rare.SetZones(original, reply, flow);
  if (flow.gone) return true;
  flow.shifted = (status & IPS_SEQ_ADJUST) != 0 && !rare.Has(Rare::kShift);
  flow.rare = rare.Take();
  return true;
}

}  // namespace zcluster::conntrack
