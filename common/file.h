// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace zcluster {

// The whole of a file of at most `limit` bytes; RESOURCE_EXHAUSTED beyond. Errors name the path.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t limit = 16 << 20);

// Replaces `path` so that a crash at any instant leaves the old or the new content: temporary file
// beside it, fsync, rename, fsync of the directory. Blocks for the disk. Errors name the path.
absl::Status WriteFileDurably(const std::string& path, absl::string_view content, unsigned mode);

// Replaces `path` atomically for readers, without waiting for the disk: for what is made anew at
// each start.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content, unsigned mode);

// Removes `path`, for good when it returns; OK if it is not there.
absl::Status RemoveFileDurably(const std::string& path);

// Removes what a crash in one of the two above has left beside `path`. Nobody else may be writing
// it.
void RemoveLeftovers(const std::string& path);

// Makes `path` and its missing parents. The last one gets `mode`; an existing one is left as it is.
absl::Status MakeDirectories(const std::string& path, unsigned mode);

}  // namespace zcluster
