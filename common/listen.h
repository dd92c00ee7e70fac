// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace zcluster {

// A TCP socket that listens on `listen`, "10.0.0.1:7700" or "[::]:7700" (which takes IPv4 too); the
// kernel chooses the port if that is 0. It does not block and is closed on exec. The error names
// `listen` and why.
absl::StatusOr<UniqueFd> ListenOn(const std::string& listen);

// Why nobody can listen on `listen`: gRPC does not say, so this tries again by hand. Never OK:
// UNAVAILABLE if nothing is in the way any more.
absl::Status WhyNotListening(const std::string& listen);

}  // namespace zcluster
