// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "absl/time/time.h"

// What more than one file here goes by.
namespace zcluster::controller_link {

// As fleet_link.proto says; of either side.
inline constexpr size_t kMaxMessageBytes = 256 << 10;
// Requests that run at the same time; others are refused.
inline constexpr size_t kMaxRequests = 8;
// Events in a batch, as fleet_link.proto says.
inline constexpr size_t kMaxEvents = 256;
// For TCP and TLS together.
inline constexpr absl::Duration kConnectTime = absl::Seconds(5);

}  // namespace zcluster::controller_link
