// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/census.h"

#include <linux/netfilter/nf_conntrack_common.h>

#include "agent/conntrack/kernel.h"
#include "agent/conntrack/own_table.h"
#include "common/status.h"

namespace zcluster::conntrack {
v1::FlowClass ClassOf(const Scope& scope, const Flow& flow) {
  switch (scope.ClassOf(flow)) {
    case FlowClass::kForwarded:
      return v1::FLOW_CLASS_FORWARDED;
    case FlowClass::kTranslated:
      return v1::FLOW_CLASS_TRANSLATED;
    case FlowClass::kEndsOnMaster:
    case FlowClass::kEndsOnStandby:
      return v1::FLOW_CLASS_LOCAL;
    case FlowClass::kOwn:
      return v1::FLOW_CLASS_OWN;
    case FlowClass::kFiltered:
      return v1::FLOW_CLASS_FILTERED;
  }
  return v1::FLOW_CLASS_UNSPECIFIED;
}

void Census::Add(const Flow& flow, v1::FlowClass what) {
  const bool replied = (flow.status & IPS_SEEN_REPLY) != 0;
  ++groups_[{flow.key.protocol, flow.has_tcp ? flow.tcp.state : kNone, replied, what}];
}

void Census::Write(v1::FlowStats& stats) const {
  for (const auto& [group, flows] : groups_) {
    const auto& [protocol, tcp_state, replied, what] = group;
    v1::FlowGroup& message = *stats.add_groups();
    message.set_protocol(protocol);
    if (tcp_state != kNone) message.set_tcp_state(tcp_state);
    message.set_replied(replied);
    message.set_flow_class(what);
    message.set_flows(flows);
  }
}

absl::StatusOr<v1::FlowStats> TakeCensus(const Scope& scope, const Halt& halt) {
  Census census;
  ZC_RETURN_IF_ERROR(WalkTable(halt, [&](absl::Span<const Flow> part) {
    for (const Flow& flow : part) census.Add(flow, ClassOf(scope, flow));
    return true;
  }));
  v1::FlowStats stats;
  census.Write(stats);
  const TableFill fill = ReadTableFill();
  stats.set_entries(fill.entries);
  stats.set_maximum(fill.maximum);
  return stats;
}

}  // namespace zcluster::conntrack
