// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/root.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/configsync/manifest.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

// True if one of the two is the other, or lies in it.
bool Overlap(const std::string& a, const std::string& b) {
  return a == b || absl::StartsWith(a, b + "/") || absl::StartsWith(b, a + "/");
}

absl::Status Invalid(const Root& root, absl::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat("root ", Shown(root.path), " ", problem));
}

}  // namespace

absl::Status CheckRoots(const std::vector<Root>& roots, const std::vector<std::string>& own_paths) {
  for (size_t i = 0; i < roots.size(); ++i) {
    const Root& root = roots[i];
    if (root.path.size() < 2 || root.path[0] != '/' || !CheckPath(root.path.substr(1)).ok()) {
      return Invalid(root, "must be an absolute path, not \"/\", without \".\", \"..\" and \"//\"");
    }
    for (size_t j = 0; j < i; ++j) {
      if (Overlap(root.path, roots[j].path)) {
        return Invalid(root, absl::StrCat("overlaps with root ", Shown(roots[j].path)));
      }
    }
    for (const std::string& own : own_paths) {
      if (Overlap(root.path, own)) {
        return Invalid(root, absl::StrCat("overlaps with ", Shown(own), ", which is the agent's"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace zcluster::configsync
