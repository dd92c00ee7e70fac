// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/status/status.h"
#include "controller/core/ids.h"
#include "zcluster/v1/fleet_link.pb.h"

// What agents say, held against the protocol's bounds before anybody believes it. INVALID_ARGUMENT
// names the field and the bound. What is text for people is made printable: it comes to terminals.
// Pure.
namespace zcluster::controller {

// A report as a whole, in bytes: 500 VIPs and 64 roots with long names fit.
inline constexpr size_t kMaxReport = 64 << 10;
inline constexpr size_t kMaxText = 1024;  // of one text for people, as agents cut their own
inline constexpr int kMaxVips = 500;      // as in the pair's configuration
inline constexpr int kMaxRoots = 64;
inline constexpr int kMaxReasons = 64;
inline constexpr int kMaxPreconditions = 1024;
inline constexpr int kMaxEvents = 256;  // in a batch
inline constexpr int kMaxFields = 32;   // of an event
inline constexpr int kMaxFlows = 1000;  // in a message

// The name and the version of the journal. Who it is, the transport has checked.
absl::Status CheckHello(v1::AgentHello& hello);
// The first node is the agent's own; there are at most two.
absl::Status CheckReport(const AgentId& agent, v1::AgentReport& report);
// Numbers grow by one, from 1 or more; a batch is not empty.
absl::Status CheckEvents(v1::EventBatch& batch);
// Says also who saw them.
absl::Status CheckFlows(const AgentId& agent, v1::FlowsSeen& flows);

}  // namespace zcluster::controller
