// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/unique_fd.h"

// What was changed on this node and then overwritten by the other one's, kept aside for people to
// look at: sets of files, each a directory that is there whole or not at all. At most kMostSets;
// the oldest goes for a new one. One writer; any thread may read.
namespace zcluster::kept {

constexpr size_t kMostSets = 10;
// Of one set: what is beyond is counted, and not kept.
constexpr size_t kMostFiles = 1000;
constexpr uint64_t kMostBytes = 64 << 20;

struct Set {
  std::string id;                  // names its directory: "20261126T213015Z"; sorts by time
  std::string root;                // whose files they were
  uint64_t term = 0;               // of the master whose files took their place
  std::vector<std::string> files;  // where each lies now
  uint64_t left_out = 0;           // files that the bounds kept out
};

// Oldest first. None if `directory` does not exist.
absl::StatusOr<std::vector<Set>> List(const std::string& directory);

// NOT_FOUND if there is no such set. Does not wait for the disk: one that a crash brings back can
// be dropped again.
absl::Status Drop(const std::string& directory, const std::string& id);

// A set that is being made. Nothing is kept unless Finish() says OK.
class Maker {
 public:
  static absl::StatusOr<std::unique_ptr<Maker>> Begin(const std::string& directory,
                                                      const std::string& root, uint64_t term);
  ~Maker();

  // `path` is relative, without "..". What is open at `from` is copied, with its mode and owner.
  absl::Status AddFile(absl::string_view path, UniqueFd from);
  absl::Status AddSymlink(absl::string_view path, const std::string& target);
  // On the disk, under its name, when it returns. The name.
  absl::StatusOr<std::string> Finish(absl::Time now);

 private:
  Maker(std::string directory, std::string root, uint64_t term)
      : directory_(std::move(directory)), root_(std::move(root)), term_(term) {}
  std::string Under() const { return directory_ + "/.new"; }
  absl::StatusOr<std::string> PlaceFor(absl::string_view path, uint64_t size);

  const std::string directory_, root_;
  const uint64_t term_;
  std::vector<std::string> paths_;
  uint64_t bytes_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace zcluster::kept
