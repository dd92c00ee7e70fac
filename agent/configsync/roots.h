// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/configsync/manifest.h"
#include "agent/configsync/root.h"
#include "agent/configsync/scan.h"
#include "agent/configsync/watch.h"
#include "common/loop.h"

namespace zcluster::configsync {

// A root as this node holds it.
struct HeldRoot {
  Root root;
  // As of the last scan; nullptr before the first. Never changed: a new scan makes a new one.
  std::shared_ptr<const Manifest> manifest;
  Digest digest;
  // The last scan read all of it. If not, `manifest` is of the last one that did.
  bool readable = false;
  // Why it is not replicated as a whole; empty if it is.
  std::string problem;
  // Number of the last scan; 0 before the first. What changed before a scan began is in it.
  uint64_t scan = 0;
};

// What this node holds, kept up to date. All on the worker's loop, where it reads and hashes.
class Roots {
 public:
  // `scanned` is called after each scan that changes brought about (not after Rescan).
  Roots(Loop& work, std::vector<Root> roots, absl::Duration settle,
        std::function<void(size_t root)> scanned);

  // Opens the watch; the first scans follow on the loop. May be called before the loop runs.
  absl::Status Open();
  // Watches and scans from now on.
  void Start();
  // What `last` knows of files' contents, for the roots that both have. Before Start().
  void TakeDigests(Roots& last);
  // No more scans. Frees what it registered at the loop.
  void Stop();

  size_t size() const { return held_.size(); }
  const HeldRoot& at(size_t root) const { return held_[root].held; }
  // Number of the root at `path`, or size() if there is none.
  size_t IndexOf(const std::string& path) const;

  // Scans `root` now.
  const HeldRoot& Rescan(size_t root);

 private:
  struct Watched {
    HeldRoot held;
    DigestCache cache;
    Loop::Registration settling;
    absl::Time settle_by = absl::InfiniteFuture();
    bool watch_incomplete = false;
  };

  void TakeChanges();
  // Scans when nothing has changed for `settle_`, at the latest kLongestSettling after the first.
  void Changed(size_t root);
  void ScanNow(size_t root);
  void ScanAndTell(size_t root);
  void WatchName(size_t root);

  Loop& work_;
  const absl::Duration settle_;
  const std::function<void(size_t)> scanned_;
  std::vector<Watched> held_;
  std::unique_ptr<Watch> watch_;
  Loop::Registration readable_;
  Loop::Registration poll_;
};

}  // namespace zcluster::configsync
