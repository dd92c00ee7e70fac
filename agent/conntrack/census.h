// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "absl/status/statusor.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/jobs.h"
#include "agent/conntrack/scope.h"
#include "zcluster/v1/flows.pb.h"

// This node's kernel's connections, counted.
namespace zcluster::conntrack {

// What a flow is to a node alone, whatever its role: `scope` has the node as master, and no
// standby.
v1::FlowClass ClassOf(const Scope& scope, const Flow& flow);

// Flows by protocol, state and class: some dozens of groups, however many flows there are. One
// thread.
class Census {
 public:
  void Add(const Flow& flow, v1::FlowClass what);
  void Write(v1::FlowStats& stats) const;

 private:
  // Protocol, TCP's state (or none), replied, class.
  using Group = std::tuple<uint8_t, uint8_t, bool, v1::FlowClass>;
  static constexpr uint8_t kNone = 0xff;
  std::map<Group, uint64_t> groups_;
};

// Reads the whole table, and how full the kernel says it is, in the network namespace of the
// calling thread. CANCELLED once `halt` is set.
absl::StatusOr<v1::FlowStats> TakeCensus(const Scope& scope, const Halt& halt);

}  // namespace zcluster::conntrack
