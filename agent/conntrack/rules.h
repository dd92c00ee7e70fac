// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include "agent/conntrack/flow.h"
#include "common/flow_rule.h"

namespace zcluster::conntrack {

// Some of a rule looks at what never changes of a flow: protocol, addresses, ports, zone. The rest
// (state, mark) may be another at the next packet.
inline bool IsLasting(const FlowRule& rule) {
  return rule.tcp_states == 0 && !rule.unreplied && rule.mark_mask == 0;
}

bool InNetwork(const Address& address, const FlowRule::Network& network);

// A protocol of which rules know ports. (The kernel has them of GRE, too: its keys.)
inline bool HasPorts(uint8_t protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
         protocol == IPPROTO_UDPLITE;
}

// Which flows the pair's configuration has replicated. Immutable; any thread.
class Rules {
 public:
  Rules() = default;
  explicit Rules(FlowRules rules);

  // The flow as it is now.
  bool Take(const Flow& flow) const;
  // By what never changes: false means that Take() is false all its life.
  bool MayTake(const Flow& flow) const;
  // Take() may change in a flow's life.
  bool Change() const { return states_ || marks_; }
  // `flow`, as an event told it, has all that Take() looks at.
  bool CanJudge(const Flow& flow) const {
    return !states_ || flow.has_tcp || flow.key.protocol != IPPROTO_TCP;
  }

  const FlowRules& rules() const { return rules_; }

 private:
  FlowRules rules_;
  bool states_ = false;
  bool marks_ = false;
};

}  // namespace zcluster::conntrack
