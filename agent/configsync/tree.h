// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/unique_fd.h"

namespace zcluster::configsync {

// Where something is: the open directory that holds it, and its name there.
struct Place {
  UniqueFd directory;  // O_PATH
  std::string name;
};

// The way to what lies in one root. Below the directory that holds the root, no symbolic link is
// followed and nothing leads out (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS), so that
// whoever may write in a root cannot make us touch what is not in it. Paths are those of a
// manifest: relative to the root, empty for the root itself. Errors name the path.
class Tree {
 public:
  // `root` is absolute and not "/". NOT_FOUND if the directory that holds it does not exist; the
  // root itself need not.
  static absl::StatusOr<Tree> Open(const std::string& root);

  // Opens what is at `path` with `flags` of open(2), to which O_CLOEXEC and O_NOFOLLOW are added.
  absl::StatusOr<UniqueFd> OpenAt(absl::string_view path, int flags) const;
  // Where `path` is, or would be: the directory that holds it must exist.
  absl::StatusOr<Place> Locate(absl::string_view path) const;

 private:
  Tree(UniqueFd holder, std::string name) : holder_(std::move(holder)), name_(std::move(name)) {}
  // Relative to holder_.
  std::string Full(absl::string_view path) const;

  UniqueFd holder_;   // the directory that holds the root: it is there when the root is not
  std::string name_;  // of the root in it
};

}  // namespace zcluster::configsync
