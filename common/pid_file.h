// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace zcluster {

// One daemon a run directory: writes our number into `path` and holds a lock on it, which ends with
// the process, however it ends. ALREADY_EXISTS: another `program` has it.
absl::StatusOr<UniqueFd> TakePidFile(const std::string& path, const std::string& program);

}  // namespace zcluster
