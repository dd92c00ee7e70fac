// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace zcluster {

// SHA-256 of `bytes`: 32 bytes. Any thread.
std::string Sha256(absl::string_view bytes);

}  // namespace zcluster
