// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/selection.h"

#include <linux/netfilter/nf_conntrack_common.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

constexpr uint32_t kMaxTcpState = 9;  // TCP_CONNTRACK_SYN_SENT2

absl::Status Bound(absl::string_view field, uint32_t value, uint32_t most) {
  if (value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("filter.", field, ": ", value, ": use 0 to ", most));
}

}  // namespace

absl::StatusOr<Selection> Selection::Read(const v1::FlowFilter& filter) {
  Selection selection;
  ZC_RETURN_IF_ERROR(Bound("protocol", filter.protocol(), 255));
  ZC_RETURN_IF_ERROR(Bound("port", filter.port(), 0xffff));
  ZC_RETURN_IF_ERROR(Bound("tcp_state", filter.tcp_state(), kMaxTcpState));
  ZC_RETURN_IF_ERROR(Bound("zone", filter.zone(), 0xffff));
  if (const size_t size = filter.address().size(); size != 0) {
    if (size != 4 && size != 16)
      return absl::InvalidArgumentError("filter.address: expected 4 or 16 bytes");
    ZC_RETURN_IF_ERROR(
        Bound("prefix_length", filter.prefix_length(), static_cast<uint32_t>(8 * size)));
    selection.network_.family = size == 4 ? AF_INET : AF_INET6;
    selection.network_.length = static_cast<uint8_t>(filter.prefix_length());
    std::copy(filter.address().begin(), filter.address().end(), selection.network_.address.begin());
  }
  selection.protocol_ = static_cast<uint8_t>(filter.protocol());
  selection.port_ = static_cast<uint16_t>(filter.port());
  if (filter.has_tcp_state()) selection.tcp_state_ = static_cast<uint8_t>(filter.tcp_state());
  selection.unreplied_ = filter.unreplied();
  if (filter.has_mark()) {
    selection.mark_mask_ = filter.has_mark_mask() ? filter.mark_mask() : ~uint32_t{0};
    selection.mark_ = filter.mark() & selection.mark_mask_;
  }
  if (filter.has_zone()) selection.zone_ = static_cast<uint16_t>(filter.zone());
  selection.translated_ = filter.translated();
  selection.class_ = filter.flow_class();
  return selection;
}

bool Selection::Has(const Flow& flow, v1::FlowClass what) const {
  if (class_ != v1::FLOW_CLASS_UNSPECIFIED && class_ != what) return false;
  if (protocol_ != 0 && flow.key.protocol != protocol_) return false;
  if (zone_ && flow.key.zone != *zone_) return false;
  if ((flow.mark & mark_mask_) != mark_) return false;
  if (tcp_state_ && (!flow.has_tcp || flow.tcp.state != *tcp_state_)) return false;
  if (unreplied_ && (flow.status & IPS_SEEN_REPLY) != 0) return false;
  if (translated_) {
    const Nat nat = NatOf(flow);
    if (!nat.source && !nat.destination) return false;
  }
  return (network_.family == 0 || HasAddress(flow)) && (port_ == 0 || HasPort(flow));
}

bool Selection::HasAddress(const Flow& flow) const {
  if (flow.key.family != network_.family) return false;
  return InNetwork(flow.key.source, network_) || InNetwork(flow.key.destination, network_) ||
         InNetwork(flow.reply.source, network_) || InNetwork(flow.reply.destination, network_);
}

bool Selection::HasPort(const Flow& flow) const {
  if (flow.key.IsIcmp()) return false;
  return flow.key.source_port == port_ || flow.key.destination_port == port_ ||
         flow.reply.source_port == port_ || flow.reply.destination_port == port_;
}

}  // namespace zcluster::conntrack
