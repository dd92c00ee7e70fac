// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "common/unique_fd.h"

namespace zcluster::configsync {

// Tells which roots changed, by one inotify instance for all of them. What is watched follows from
// the scans: between BeginPass and EndPass, each directory of a root is named before it is read,
// and those that were not named again are let go. Not thread-safe.
class Watch {
 public:
  static absl::StatusOr<std::unique_ptr<Watch>> Open();

  // Readable when something changed.
  int fd() const { return inotify_.get(); }

  void BeginPass(size_t root);
  // All that happens in the directory open at `fd` is about `root`. RESOURCE_EXHAUSTED if the
  // system's bound of watches is reached; names the sysctl.
  absl::Status Add(size_t root, int fd);
  // What happens to `name` in `directory` is about `root`: its coming, going and replacement, and
  // the content of one that is a file.
  absl::Status AddName(size_t root, const std::string& directory, const std::string& name);
  void EndPass(size_t root);

  struct Changes {
    absl::flat_hash_set<size_t> roots;
    // Events were lost: any root may have changed.
    bool overflow = false;
  };
  // All changes since the last call; does not wait.
  Changes Read();

 private:
  // Why a directory is watched, for one root.
  struct Interest {
    bool whole = false;
    std::string name;  // if not the whole directory
    uint64_t pass = 0;
  };
  using Interests = absl::flat_hash_map<size_t, Interest>;

  explicit Watch(UniqueFd inotify) : inotify_(std::move(inotify)) {}
  absl::StatusOr<Interest*> Register(size_t root, const std::string& path);

  UniqueFd inotify_;
  absl::flat_hash_map<int, Interests> interests_;  // by watch descriptor
  uint64_t pass_ = 0;
};

}  // namespace zcluster::configsync
