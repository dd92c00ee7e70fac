// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/configsync/digest.h"
#include "agent/configsync/manifest.h"
#include "agent/configsync/tree.h"
#include "common/unique_fd.h"

namespace zcluster::configsync {

// Where a generation is put together before it is put in place: a directory of mode 0700 on the
// root's own filesystem, so that what is in it can be renamed in. In the root if that is a
// directory, beside it if it is a file; scans pass it over. Worker's thread.
class Stage {
 public:
  // An empty stage. `is_file`: the root is (to be) a file. Leftovers of an earlier one are removed.
  static absl::StatusOr<std::unique_ptr<Stage>> Make(const Tree& tree, absl::string_view root,
                                                     bool is_file);
  // Removes what a crash may have left of a stage of `root`. Nothing there is no error.
  static absl::Status RemoveLeftovers(absl::string_view root);

  // Removes itself, as far as it can.
  ~Stage();

  int fd() const { return directory_.get(); }

  // OK if `bytes` more fit on the filesystem; RESOURCE_EXHAUSTED says how many do.
  absl::Status CheckSpace(uint64_t bytes) const;

  // A content to come: Receive takes no others. Called once for each file that it is for.
  void Expect(const Content& content);
  // The next bytes of the content `digest`, one content after the other. INVALID_ARGUMENT if the
  // sender breaks its word (a content not expected, too long, too short, or not of that digest);
  // other errors are of the disk.
  absl::Status Receive(const Digest& digest, absl::string_view bytes, bool last);
  // OK if all that is expected is here.
  absl::Status CheckComplete() const;

  // Makes file number `number` of the generation, ready to be renamed in, and gives its name here:
  // `entry`'s content (received, or copied from what is open at `held` if that is open), owner and
  // mode. If `to_disk`, it is on the disk when this returns.
  absl::StatusOr<std::string> MakeFile(size_t number, const Entry& entry, UniqueFd held,
                                       bool to_disk);
  // The same for a symbolic link.
  absl::StatusOr<std::string> MakeSymlink(size_t number, const Entry& entry);

 private:
  struct Expected {
    uint64_t size = 0;
    bool received = false;
    size_t uses = 0;  // files that are still to be made of it
  };

  Stage(UniqueFd holder, std::string name, UniqueFd directory)
      : holder_(std::move(holder)), name_(std::move(name)), directory_(std::move(directory)) {}
  absl::StatusOr<UniqueFd> NewContent(const std::string& name, const Entry& entry, UniqueFd held);
  absl::StatusOr<UniqueFd> Copy(int from, const std::string& name, const Digest& digest);
  absl::Status CheckFinished(const Digest& digest);

  UniqueFd holder_;
  std::string name_;
  UniqueFd directory_;
  absl::flat_hash_map<Digest, Expected> expected_;
  // The content under way.
  UniqueFd receiving_;
  Digest receiving_digest_;
  uint64_t received_ = 0;
  std::unique_ptr<Hasher> hasher_;
};

}  // namespace zcluster::configsync
