// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace zcluster::configsync {

// A directory or a file that the backup holds as the master does.
struct Root {
  std::string path;                  // absolute
  std::vector<std::string> exclude;  // shell patterns; what matches one in any component stays out
  bool operator==(const Root&) const = default;
};

// OK if each root is an absolute path without "." and "..", not "/", lies neither in another nor
// around it, and holds none of `own_paths`, nor lies in one: a node whose agent's own files were
// overwritten by its peer's would lose its identity. INVALID_ARGUMENT names the root.
absl::Status CheckRoots(const std::vector<Root>& roots, const std::vector<std::string>& own_paths);

}  // namespace zcluster::configsync
