// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// What names and labels a fleet takes. Pure. INVALID_ARGUMENT says what is wrong and what is
// expected.
namespace zcluster::controller {

// A pair's name in the fleet: lower-case letters, digits, '-', '.'; at most 63; begins with a
// letter or a digit.
absl::Status CheckPairName(absl::string_view name);

// A node's name: letters, digits, '-', '.'; at most 63.
absl::Status CheckNodeName(absl::string_view name);

inline constexpr size_t kMaxLabels = 64;
// Proto LabelPairRequest says what keys and values there are.
absl::Status CheckLabel(absl::string_view key, absl::string_view value);
absl::Status CheckLabels(const std::map<std::string, std::string>& labels);

}  // namespace zcluster::controller
