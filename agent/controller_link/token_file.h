// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace zcluster::controller_link {

// A text that lets in whoever holds it; wipe it.
//
// Reads a file that holds a token: regular, not a link, root's (or of whoever we run as), readable
// by nobody else, at most 1 KiB. NOT_FOUND: there is none; PERMISSION_DENIED: others may read or
// change it; the message says what to do. Blocks for the disk.
absl::StatusOr<std::string> ReadTokenFile(const std::string& path);

}  // namespace zcluster::controller_link
