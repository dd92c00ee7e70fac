// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace zcluster {

// Version of what agents say to each other; two talk if theirs differ by at most one.
inline constexpr uint32_t kPeerProtocol = 1;

// The same for agents and controllers.
inline constexpr uint32_t kFleetProtocol = 1;

}  // namespace zcluster
