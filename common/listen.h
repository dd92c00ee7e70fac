// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/status.h"

namespace zcluster {

// Why nobody can listen on `listen`, "10.0.0.1:7700" or "[::]:7700": gRPC does not say, so this
// tries again by hand. Never OK: UNAVAILABLE if nothing is in the way any more.
absl::Status WhyNotListening(const std::string& listen);

}  // namespace zcluster
