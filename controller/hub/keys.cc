// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/keys.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace zcluster::controller {

bool Admits(absl::string_view keys, absl::string_view key) {
  const std::vector<absl::string_view> all = absl::StrSplit(keys, ' ', absl::SkipEmpty());
  return !key.empty() && std::find(all.begin(), all.end(), key) != all.end();
}

std::string Since(absl::string_view keys, absl::string_view key) {
  std::vector<absl::string_view> all = absl::StrSplit(keys, ' ', absl::SkipEmpty());
  const auto seen = std::find(all.begin(), all.end(), key);
  if (seen != all.end()) all.erase(all.begin(), seen);
  return absl::StrJoin(all, " ");
}

std::string WithNew(absl::string_view keys, absl::string_view key) {
  std::vector<absl::string_view> all = absl::StrSplit(keys, ' ', absl::SkipEmpty());
  if (std::find(all.begin(), all.end(), key) == all.end()) all.push_back(key);
  if (all.size() > 1 + kMaxNewKeys) all.erase(all.begin() + 1);
  return absl::StrJoin(all, " ");
}

}  // namespace zcluster::controller
