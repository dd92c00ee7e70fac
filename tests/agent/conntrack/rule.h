// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/numbers.h"
#include "common/flow_rule.h"

namespace zcluster::conntrack {

inline void Set(FlowRule& rule, const std::string& field, const std::string& value) {
  if (field == "protocol") rule.protocol = *ParseProtocol(value);
  if (field == "address") rule.any.network = *ParseNetwork(value);
  if (field == "source") rule.source.network = *ParseNetwork(value);
  if (field == "destination") rule.destination.network = *ParseNetwork(value);
  if (field == "port") rule.any.ports = *ParsePorts(value);
  if (field == "source_port") rule.source.ports = *ParsePorts(value);
  if (field == "destination_port") rule.destination.ports = *ParsePorts(value);
  if (field == "state") ParseState(value, rule).IgnoreError();
  if (field == "mark") ParseMark(value, rule).IgnoreError();
  if (field == "zone") rule.zone = static_cast<uint16_t>(std::stoi(value));
  if (field == "direction")
    rule.direction =
        value == "REPLY" ? FlowRule::Direction::kReply : FlowRule::Direction::kOriginal;
}

// As the pair's configuration would have it: a field and its value, and so on.
inline FlowRule Rule() { return {}; }
template <typename... Rest>
FlowRule Rule(const std::string& field, const std::string& value, const Rest&... rest) {
  FlowRule rule = Rule(rest...);
  Set(rule, field, value);
  return rule;
}

}  // namespace zcluster::conntrack
