// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/wire_rare.h"

#include <algorithm>
#include <string>

#include "agent/conntrack/wire_fields.h"
#include "common/status.h"
#include "zcluster/v1/conntrack.pb.h"

namespace zcluster::conntrack {
namespace {

constexpr uint32_t kMaxSctpState = 9;  // SCTP_CONNTRACK_HEARTBEAT_ACKED

void Write(const SequenceShift& shift, v1::SequenceShift& message) {
  message.set_position(shift.position);
  message.set_before(static_cast<int32_t>(shift.before));
  message.set_after(static_cast<int32_t>(shift.after));
}

SequenceShift Read(const v1::SequenceShift& message) {
  return {message.position(), static_cast<uint32_t>(message.before()),
          static_cast<uint32_t>(message.after())};
}

absl::Status ReadZone(const v1::RareFacts& message, const FlowKey& key, Rare& rare) {
  switch (message.zone_direction()) {
    case v1::RareFacts::ZONE_DIRECTION_BOTH:
      rare.zone_direction = ZoneDirection::kBoth;
      break;
    case v1::RareFacts::ZONE_DIRECTION_ORIGINAL:
      rare.zone_direction = ZoneDirection::kOriginal;
      break;
    case v1::RareFacts::ZONE_DIRECTION_REPLY:
      if (key.zone != 0) return Wrong("zone_direction", "a flow whose zone is 0");
      rare.zone_direction = ZoneDirection::kReply;
      return ReadPort(message.reply_zone(), "reply_zone", rare.reply_zone);
    default:
      return Wrong("zone_direction", "0 to 2");
  }
  return message.reply_zone() == 0 ? absl::OkStatus()
                                   : Wrong("reply_zone", "0, but for ZONE_DIRECTION_REPLY");
}

absl::Status ReadSctp(const v1::SctpState& message, const FlowKey& key, Rare& rare) {
  if (key.protocol != IPPROTO_SCTP) return Wrong("sctp", "SCTP only");
  if (message.state() > kMaxSctpState) return Wrong("sctp.state", "0 to 9");
  rare.told |= Rare::kSctp;
  rare.sctp_state = static_cast<uint8_t>(message.state());
  rare.original_tag = message.original_tag();
  rare.reply_tag = message.reply_tag();
  return absl::OkStatus();
}

absl::Status ReadShifts(const v1::RareFacts& message, const FlowKey& key, Rare& rare) {
  if (message.has_original_shift() != message.has_reply_shift())
    return Wrong("original_shift, reply_shift", "both or none");
  if (!message.has_original_shift()) return absl::OkStatus();
  if (key.protocol != IPPROTO_TCP) return Wrong("original_shift", "TCP only");
  rare.told |= Rare::kShift;
  rare.original_shift = Read(message.original_shift());
  rare.reply_shift = Read(message.reply_shift());
  return absl::OkStatus();
}

absl::Status ReadMaster(const v1::FlowTuple& message, const FlowKey& key, Rare& rare) {
  ZC_RETURN_IF_ERROR(Annotate(ReadTuple(message, rare.master), "master"));
  if (rare.master.family != key.family) return Wrong("master", "the family of the flow");
  rare.told |= Rare::kMaster;
  return absl::OkStatus();
}

}  // namespace

void Write(const Rare& rare, v1::RareFacts& message) {
  if (rare.zone_direction == ZoneDirection::kOriginal)
    message.set_zone_direction(v1::RareFacts::ZONE_DIRECTION_ORIGINAL);
  if (rare.zone_direction == ZoneDirection::kReply) {
    message.set_zone_direction(v1::RareFacts::ZONE_DIRECTION_REPLY);
    message.set_reply_zone(rare.reply_zone);
  }
  if (rare.Has(Rare::kSctp)) {
    message.mutable_sctp()->set_state(rare.sctp_state);
    message.mutable_sctp()->set_original_tag(rare.original_tag);
    message.mutable_sctp()->set_reply_tag(rare.reply_tag);
  }
  if (rare.Has(Rare::kLabels))
    message.set_labels(std::string(rare.labels.begin(), rare.labels.end()));
  if (rare.helper[0] != 0) message.set_helper(rare.helper.data());
  if (rare.Has(Rare::kShift)) {
    Write(rare.original_shift, *message.mutable_original_shift());
    Write(rare.reply_shift, *message.mutable_reply_shift());
  }
  if (rare.Has(Rare::kMaster)) WriteTuple(rare.master, *message.mutable_master());
}

absl::Status Read(const v1::RareFacts& message, const FlowKey& key, RarePtr& rare) {
  Rare read;
  ZC_RETURN_IF_ERROR(ReadZone(message, key, read));
  if (message.has_sctp()) ZC_RETURN_IF_ERROR(ReadSctp(message.sctp(), key, read));
  if (!message.labels().empty()) {
    if (message.labels().size() != read.labels.size()) return Wrong("labels", "16 bytes");
    std::copy(message.labels().begin(), message.labels().end(), read.labels.begin());
    read.told |= Rare::kLabels;
  }
  ZC_RETURN_IF_ERROR(ReadName(message.helper(), "helper", read.helper));
  ZC_RETURN_IF_ERROR(ReadShifts(message, key, read));
  if (message.has_master()) ZC_RETURN_IF_ERROR(ReadMaster(message.master(), key, read));
  rare = read == Rare{} ? nullptr : std::make_shared<const Rare>(read);
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
