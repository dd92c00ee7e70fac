// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/heartbeat/options.h"

namespace zcluster::heartbeat {

// Before whoever boots the machine starts keepalived, with or without an agent: clears the ground
// (VIPs and pid files that a dead keepalived left) and has it begin standing aside for kBootGate,
// so that an agent may look first who serves. A fault that is no lease (a maintenance) stays. Of
// `options` only the directories matter. Nothing is done, which is no error, if keepalived runs, or
// this node was never given a configuration for it. What was done, as a sentence.
absl::StatusOr<std::string> CloseBootGate(const Options& options);

}  // namespace zcluster::heartbeat
