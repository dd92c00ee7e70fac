// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "agent/configsync/commit.h"
#include "agent/configsync/digest.h"
#include "agent/configsync/manifest.h"
#include "agent/configsync/tree.h"

namespace zcluster::configsync {

// What this node last held alike with its peer, root by root, over restarts. Who holds something
// else when the master's generation comes has changed it himself meanwhile: as a master beside the
// other, or by hand. On the worker's loop.
class Agreed {
 public:
  // Files in `directory`; nothing is remembered if that is empty.
  explicit Agreed(std::string directory) : directory_(std::move(directory)) {}

  // Both hold `digest`. Only a change is written.
  void Set(const std::string& root, const Digest& digest);
  // Whether this node has changed `root`, which is `held` now. False where nothing is known: the
  // first generation of a pair overwrites what was there.
  bool Changed(const std::string& root, const Digest& held);

 private:
  std::string PathOf(const std::string& root) const;
  absl::optional<std::string> Known(const std::string& root);

  const std::string directory_;
  absl::flat_hash_map<std::string, std::string> known_;
};

// Keeps in `directory` (kept_files.h) what `plan` overwrites or deletes of `held`, before it does.
absl::Status KeepAside(const std::string& directory, const std::string& root, uint64_t term,
                       const Tree& tree, const Manifest& held, const Manifest& wanted,
                       const Plan& plan);

}  // namespace zcluster::configsync
