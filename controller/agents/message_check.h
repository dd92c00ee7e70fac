// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/status/status.h"

namespace zcluster::v1 {
class AgentMessage;
}  // namespace zcluster::v1

namespace zcluster::controller {

// The largest message on the link, either way.
inline constexpr size_t kMaxMessageBytes = 256 << 10;

// OK if a message of an agent has the shape and the sizes that fleet_link.proto allows, so that
// whoever gets it need not look again; else INVALID_ARGUMENT, which names the field. What it says
// may still be untrue. A kind that is unknown here, from a newer agent, is OK. Pure; any thread.
absl::Status CheckMessage(const v1::AgentMessage& message);

}  // namespace zcluster::controller
