// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/rules.h"

#include <linux/netfilter/nf_conntrack_common.h>

#include <algorithm>

namespace zcluster::conntrack {
namespace {

using Direction = FlowRule::Direction;

// One end of a direction, as the flow has it.
struct Side {
  const Address& address;
  uint16_t port;
};

// One of `sides` is in the network, and one (perhaps another) has such a port.
bool Holds(const FlowRule::End& end, const Flow& flow, std::initializer_list<Side> sides) {
  const FlowRule::Network& network = end.network;
  if (network.family != 0) {
    if (flow.key.family != network.family) return false;
    if (std::none_of(sides.begin(), sides.end(),
                     [&](const Side& side) { return InNetwork(side.address, network); }))
      return false;
  }
  if (end.ports.first == 0) return true;
  return HasPorts(flow.key.protocol) &&
         std::any_of(sides.begin(), sides.end(), [&](const Side& side) {
           return side.port >= end.ports.first && side.port <= end.ports.last;
         });
}

bool LastingHolds(const FlowRule& rule, const Flow& flow) {
  if (rule.protocol != 0 && flow.key.protocol != rule.protocol) return false;
  if (rule.zone && flow.key.zone != *rule.zone) return false;
  const Side source{flow.key.source, flow.key.source_port};
  const Side destination{flow.key.destination, flow.key.destination_port};
  const Side answering{flow.reply.source, flow.reply.source_port};
  const Side answered{flow.reply.destination, flow.reply.destination_port};
  if (rule.direction == Direction::kReply) {
    return Holds(rule.source, flow, {answering}) && Holds(rule.destination, flow, {answered}) &&
           Holds(rule.any, flow, {answering, answered});
  }
  if (!Holds(rule.source, flow, {source}) || !Holds(rule.destination, flow, {destination}))
    return false;
  return rule.direction == Direction::kOriginal
             ? Holds(rule.any, flow, {source, destination})
             : Holds(rule.any, flow, {source, destination, answering, answered});
}

bool Holds(const FlowRule& rule, const Flow& flow) {
  if ((flow.mark & rule.mark_mask) != rule.mark) return false;
  if (rule.tcp_states != 0 || rule.unreplied) {
    const bool state = flow.has_tcp && (rule.tcp_states >> flow.tcp.state & 1) != 0;
    const bool unreplied = rule.unreplied && (flow.status & IPS_SEEN_REPLY) == 0;
    if (!state && !unreplied) return false;
  }
  return LastingHolds(rule, flow);
}

}  // namespace

bool InNetwork(const Address& address, const FlowRule::Network& network) {
  const size_t whole = network.length / 8;
  if (!std::equal(network.address.begin(), network.address.begin() + whole, address.begin()))
    return false;
  const auto mask = static_cast<uint8_t>(0xff00 >> network.length % 8);
  return network.length % 8 == 0 || ((network.address[whole] ^ address[whole]) & mask) == 0;
}

Rules::Rules(FlowRules rules) : rules_(std::move(rules)) {
  for (const std::vector<FlowRule>* all : {&rules_.only, &rules_.skip}) {
    for (const FlowRule& rule : *all) {
      states_ = states_ || rule.tcp_states != 0 || rule.unreplied;
      marks_ = marks_ || rule.mark_mask != 0;
    }
  }
}

bool Rules::Take(const Flow& flow) const {
  const auto holds = [&](const FlowRule& rule) { return Holds(rule, flow); };
  if (!rules_.only.empty() && std::none_of(rules_.only.begin(), rules_.only.end(), holds))
    return false;
  return std::none_of(rules_.skip.begin(), rules_.skip.end(), holds);
}

bool Rules::MayTake(const Flow& flow) const {
  const auto may = [&](const FlowRule& rule) { return LastingHolds(rule, flow); };
  if (!rules_.only.empty() && std::none_of(rules_.only.begin(), rules_.only.end(), may))
    return false;
  return std::none_of(rules_.skip.begin(), rules_.skip.end(), [&](const FlowRule& rule) {
    return IsLasting(rule) && LastingHolds(rule, flow);
  });
}

}  // namespace zcluster::conntrack
