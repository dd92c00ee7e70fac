// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace zcluster::access {

// The same code and message (the codes are the same numbers by design). A message travels in a
// trailer, and gRPC refuses a call whose trailers exceed 8 KiB: longer ones are cut, at a
// character, and end in "...".
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace zcluster::access
