// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/configsync/digest.h"
#include "agent/configsync/manifest.h"
#include "agent/configsync/tree.h"
#include "common/unique_fd.h"
#include "zcluster/v1/config_sync.pb.h"

// Manifests and contents in pieces that fit a message.
namespace zcluster::configsync {

// Most bytes of content, and most pieces, in a FileParts.
inline constexpr size_t kMaxContent = 1 << 20;
inline constexpr int kMaxPieces = 1000;
// Most entries in a ManifestPart. Less if their names are long: a message stays below 1 MiB.
inline constexpr int kMaxPartEntries = 1000;

// The next entries of `manifest` from `at` on, which is moved behind them, and whether they are the
// last.
void FillPart(const Manifest& manifest, size_t& at, v1::ManifestPart& part);

// Adds the entries of `part` to `manifest`. INVALID_ARGUMENT if one cannot be understood or there
// are too many; the whole is still to be checked (CheckManifest).
absl::Status TakePart(const v1::ManifestPart& part, Manifest& manifest);

// Reads one file of a root for sending.
class FileSource {
 public:
  // Opens `entry` in `tree`.
  static absl::StatusOr<FileSource> Open(const Tree& tree, const Entry& entry);
  // The next piece, of at most `limit` bytes; `part.last()` says that there are no more. ABORTED if
  // the file is not, or no longer, what the entry says: it changed since it was scanned.
  absl::Status Fill(size_t limit, v1::FilePart& part);

 private:
  FileSource(UniqueFd fd, Content content)
      : fd_(std::move(fd)), expected_(content), hasher_(std::make_unique<Hasher>()) {}

  UniqueFd fd_;
  Content expected_;
  std::unique_ptr<Hasher> hasher_;
  uint64_t sent_ = 0;
};

}  // namespace zcluster::configsync
