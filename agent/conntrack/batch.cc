// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/batch.h"

#include "absl/strings/str_cat.h"
#include "agent/conntrack/wire_fields.h"
#include "agent/conntrack/wire_rare.h"
#include "common/status.h"
#include "zcluster/v1/conntrack.pb.h"

namespace zcluster::conntrack {
namespace {

constexpr uint32_t kMaxTcpState = 9;  // TCP_CONNTRACK_SYN_SENT2
constexpr uint32_t kMaxScale = 14;    // RFC 7323, 2.3

// Beyond it there would hardly be a next one; no pair gets there by promotions.
constexpr uint64_t kMaxTerm = uint64_t{1} << 62;

uint32_t Pack(const Tcp& tcp) {
  return static_cast<uint32_t>(tcp.state | tcp.original_scale << 4 | tcp.reply_scale << 8 |
                               tcp.original_flags << 12) |
         static_cast<uint32_t>(tcp.reply_flags) << 20;
}

absl::Status ReadKey(const v1::Flow& message, FlowKey& key) {
  ZC_RETURN_IF_ERROR(ReadTuple(message, key));
  return ReadPort(message.zone(), "zone", key.zone);
}

// Nothing of another family than the key's, and nothing of what a flow that is gone no longer has.
absl::Status CheckReplyFields(const v1::Flow& message, const FlowKey& key) {
  const bool has_v4 = message.has_reply_source_v4() || message.has_reply_destination_v4();
  const bool has_v6 = !message.reply_source_v6().empty() || !message.reply_destination_v6().empty();
  if (key.family == AF_INET ? has_v6 : has_v4)
    return Wrong("reply", "the family of the original direction");
  if (key.IsIcmp() && message.has_reply_destination_port())
    return Wrong("reply_destination_port", "none for ICMP");
  if (key.ports() == PortKind::kNone &&
      (message.has_reply_source_port() || message.has_reply_destination_port()))
    return Wrong("reply_source_port, reply_destination_port", "none for this protocol");
  return absl::OkStatus();
}

absl::Status ReadReply(const v1::Flow& message, const FlowKey& key, Reply& reply) {
  ZC_RETURN_IF_ERROR(CheckReplyFields(message, key));
  reply = Inverse(key);
  if (message.has_reply_source_v4()) reply.source = FromV4(message.reply_source_v4());
  if (message.has_reply_destination_v4())
    reply.destination = FromV4(message.reply_destination_v4());
  if (!message.reply_source_v6().empty()) {
    ZC_RETURN_IF_ERROR(ReadV6(message.reply_source_v6(), "reply_source_v6", reply.source));
  }
  if (!message.reply_destination_v6().empty()) {
    ZC_RETURN_IF_ERROR(
        ReadV6(message.reply_destination_v6(), "reply_destination_v6", reply.destination));
  }
  if (message.has_reply_source_port()) {
    ZC_RETURN_IF_ERROR(
        ReadPort(message.reply_source_port(), "reply_source_port", reply.source_port));
  }
  if (message.has_reply_destination_port()) {
    ZC_RETURN_IF_ERROR(ReadPort(message.reply_destination_port(), "reply_destination_port",
                                reply.destination_port));
  }
  return absl::OkStatus();
}

absl::Status ReadTcp(uint32_t packed, Flow& flow) {
  if (flow.key.protocol != IPPROTO_TCP) return Wrong("tcp", "TCP only");
  if (packed >> 28 != 0) return Wrong("tcp", "28 bits");
  flow.has_tcp = true;
  flow.tcp.state = static_cast<uint8_t>(packed & 0xf);
  flow.tcp.original_scale = static_cast<uint8_t>(packed >> 4 & 0xf);
  flow.tcp.reply_scale = static_cast<uint8_t>(packed >> 8 & 0xf);
  flow.tcp.original_flags = static_cast<uint8_t>(packed >> 12 & 0xff);
  flow.tcp.reply_flags = static_cast<uint8_t>(packed >> 20 & 0xff);
  if (flow.tcp.state > kMaxTcpState) return Wrong("tcp", "a state of 0 to 9");
  if (flow.tcp.original_scale > kMaxScale || flow.tcp.reply_scale > kMaxScale) {
    return Wrong("tcp", "window scales of 0 to 14");
  }
  return absl::OkStatus();
}

absl::Status ReadFlow(const v1::Flow& message, Flow& flow) {
  ZC_RETURN_IF_ERROR(ReadKey(message, flow.key));
  flow.gone = message.gone();
  ZC_RETURN_IF_ERROR(ReadReply(message, flow.key, flow.reply));
  if ((message.status() & ~kStatusBits) != 0) return Wrong("status", "bits of 0x1be");
  flow.status = message.status();
  flow.mark = message.mark();
  if (message.has_tcp()) ZC_RETURN_IF_ERROR(ReadTcp(message.tcp(), flow));
  if (!message.has_rare()) return absl::OkStatus();
  return Annotate(Read(message.rare(), flow.key, flow.rare), "rare");
}

}  // namespace

void Write(const Flow& flow, v1::Flow& message) {
  const FlowKey& key = flow.key;
  const bool v4 = key.family == AF_INET;
  if (flow.gone) message.set_gone(true);
  WriteTuple(key, message);
  if (key.zone != 0) message.set_zone(key.zone);
  if (flow.gone) return;

  const Reply plain = Inverse(key);
  const Reply& reply = flow.reply;
  if (reply.source != plain.source) {
    v4 ? message.set_reply_source_v4(V4(reply.source))
       : message.set_reply_source_v6(V6(reply.source));
  }
  if (reply.destination != plain.destination) {
    v4 ? message.set_reply_destination_v4(V4(reply.destination))
       : message.set_reply_destination_v6(V6(reply.destination));
  }
  if (reply.source_port != plain.source_port) message.set_reply_source_port(reply.source_port);
  if (reply.destination_port != plain.destination_port && !key.IsIcmp()) {
    message.set_reply_destination_port(reply.destination_port);
  }
  message.set_status(flow.status & kStatusBits);
  if (flow.mark != 0) message.set_mark(flow.mark);
  if (flow.has_tcp && key.protocol == IPPROTO_TCP) message.set_tcp(Pack(flow.tcp));
  if (flow.rare) Write(*flow.rare, *message.mutable_rare());
}

absl::Status Read(const v1::FlowBatch& message, std::vector<Flow>& flows) {
  return Read(message.flows(), kMaxFlowsInBatch, flows);
}

absl::Status Read(const google::protobuf::RepeatedPtrField<v1::Flow>& messages, size_t most,
                  std::vector<Flow>& flows) {
  flows.clear();
  if (static_cast<size_t>(messages.size()) > most) {
    return absl::InvalidArgumentError(
        absl::StrCat("a batch of ", messages.size(), " flows; at most ", most, " are allowed"));
  }
  flows.resize(static_cast<size_t>(messages.size()));
  for (int i = 0; i < messages.size(); ++i) {
    const absl::Status read = ReadFlow(messages.Get(i), flows[static_cast<size_t>(i)]);
    if (!read.ok()) {
      flows.clear();
      return Annotate(read, absl::StrCat("flows[", i, "]"));
    }
  }
  return absl::OkStatus();
}

absl::Status BatchOrder::Check(const v1::FlowBatch& message) {
  if (message.sequence() != sequence_ + 1) {
    return absl::InvalidArgumentError(absl::StrCat("batch ", message.sequence(), " follows ",
                                                   sequence_, "; expected ", sequence_ + 1));
  }
  if (message.term() == 0 || message.term() > kMaxTerm) return Wrong("term", "1 to 2^62");
  if (sequence_ == 0 && !message.snapshot_begins()) {
    return absl::InvalidArgumentError("the first batch of a stream must begin a snapshot");
  }
  const bool inside = in_snapshot_ || message.snapshot_begins();
  if (message.snapshot_ends() && !inside)
    return absl::InvalidArgumentError("a snapshot ends that never began");
  in_snapshot_ = inside && !message.snapshot_ends();
  sequence_ = message.sequence();
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
