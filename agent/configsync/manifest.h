// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/configsync/digest.h"

// What a root holds, and what must be so for it to be replicated. Pure values; any thread.
namespace zcluster::configsync {

// Bounds, the same on both nodes: what the sender would not send, the receiver does not take.
inline constexpr size_t kMaxEntries = 100'000;
inline constexpr uint64_t kMaxFileSize = 1ULL << 30;
inline constexpr size_t kMaxPath = 4096;
inline constexpr size_t kMaxComponent = 255;
// Directories below each other. Each costs a descriptor while a tree is read.
inline constexpr size_t kMaxDepth = 128;

// Names that begin so are ours: where a generation is staged. Never part of a manifest.
inline constexpr char kStagePrefix[] = ".zcluster-stage";

enum class EntryType { kFile, kDirectory, kSymlink };

// One path below a root, or the root itself (empty path).
struct Entry {
  std::string path;
  EntryType type = EntryType::kFile;
  uint32_t mode = 0;  // within AllowedMode(type)
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t size = 0;        // of a file
  Digest digest = {};       // of a file's content
  std::string target = {};  // of a symbolic link
  bool operator==(const Entry&) const = default;
};

// Sorted by path, so that a directory comes before what it holds. Empty if the root does not exist.
struct Manifest {
  std::vector<Entry> entries;

  // Over all that is replicated of all entries: equal digests mean equal roots.
  Digest RootDigest() const;
  // A root that is a file, or a directory with something in it.
  bool HasContent() const;
  // The entry at `path`, or nullptr. Binary search.
  const Entry* Find(absl::string_view path) const;
};

// Permission bits that are replicated. Set-user-id and set-group-id on a file would let whoever may
// edit a synchronised tree become root on the other node: they stay behind. A directory's
// set-group-id bit only says which group new files get.
uint32_t AllowedMode(EntryType type);

// OK if `path` is a path below a root: no empty, "." or ".." component, not absolute, no NUL, no
// name of ours, within the bounds. The empty path is the root itself.
absl::Status CheckPath(absl::string_view path);

// OK if a symbolic link at `path` cannot lead out of `root`. ".." may only come first: further on
// it would be taken from wherever another link leads.
absl::Status CheckTarget(absl::string_view root, absl::string_view path, absl::string_view target);

// OK if the whole is what a sender may send: INVALID_ARGUMENT names the first entry that is not.
absl::Status CheckManifest(absl::string_view root, const Manifest& manifest);

// True if one of the shell patterns matches a component of `path`: it and all below it stay out.
bool IsExcluded(const std::vector<std::string>& patterns, absl::string_view path);

// Everything before the last '/'; empty if there is none.
absl::string_view ParentOf(absl::string_view path);

// `path` as it can be shown to people, whatever bytes it has.
std::string Shown(absl::string_view path);

}  // namespace zcluster::configsync
