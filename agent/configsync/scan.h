// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "agent/configsync/digest.h"
#include "agent/configsync/manifest.h"
#include "agent/configsync/root.h"

namespace zcluster::configsync {

// Remembers the digests of files that did not change since, by what the kernel says of them:
// device, inode, size, both times. Not thread-safe.
class DigestCache {
 public:
  // The content's digest, or nullptr if the file must be read.
  const Digest* Find(const std::string& path, const struct stat& now);
  // A file whose change time is not clearly in the past is not remembered: it could change again
  // without its times showing it (they have the granularity of the kernel's tick).
  void Remember(const std::string& path, const struct stat& when_read, const Digest& digest);
  // Forgets what was neither found nor remembered since the last call.
  void EndPass();

 private:
  struct Known {
    struct stat stat;
    Digest digest;
    uint64_t pass;
  };
  absl::flat_hash_map<std::string, Known> known_;
  uint64_t pass_ = 0;
};

// A root as it was found.
struct Scan {
  Manifest manifest;
  // What is there and is not replicated; empty if nothing. One sentence, with what to do.
  std::string problem;
  // A file changed while it was read: what it holds is not known, so scan again.
  bool changing = false;
};

// Called for each directory of the root before it is read, so that a watch set up in it misses
// nothing. `fd` is valid during the call.
using OnDirectory = std::function<void(int fd)>;

// Reads the whole root. Blocks for the disk; a worker's thread. A root that does not exist is an
// empty manifest with a problem. An error means that not all of it could be read, so that nobody
// may conclude what is not there.
absl::StatusOr<Scan> ScanRoot(const Root& root, DigestCache& cache,
                              const OnDirectory& on_directory);

}  // namespace zcluster::configsync
