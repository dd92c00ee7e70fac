// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/commit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

// More files than this are brought to the disk by one sync of the filesystem rather than one by
// one.
constexpr size_t kMaxSingleSyncs = 16;

bool IsDirectory(const Entry& entry) { return entry.type == EntryType::kDirectory; }

bool SameContent(const Entry& a, const Entry& b) {
  return a.type == b.type && a.digest == b.digest && a.target == b.target && a.size == b.size;
}

class Committer {
 public:
  Committer(const Tree& tree, Stage& stage, const Manifest& held, const Manifest& wanted,
            const Plan& plan)
      : tree_(tree),
        stage_(stage),
        held_(held.entries),
        wanted_(wanted.entries),
        plan_(plan),
        many_(plan.renames.size() > kMaxSingleSyncs) {}

  absl::Status Run() {
    ZC_RETURN_IF_ERROR(Prepare());
    for (size_t i : plan_.in_the_way) ZC_RETURN_IF_ERROR(At(held_[i], Remove(held_[i])));
    for (size_t i : plan_.directories)
      ZC_RETURN_IF_ERROR(At(wanted_[i], MakeDirectory(wanted_[i])));
    for (size_t i = 0; i < names_.size(); ++i) {
      const Entry& entry = wanted_[plan_.renames[i]];
      ZC_RETURN_IF_ERROR(At(entry, PutInPlace(entry, names_[i])));
    }
    for (size_t i : plan_.attributes) ZC_RETURN_IF_ERROR(At(wanted_[i], SetAttributes(wanted_[i])));
    absl::Status kept;
    for (size_t i : plan_.gone) {
      const absl::Status status = At(held_[i], Remove(held_[i]));
      if (kept.ok()) kept = status;
    }
    ZC_RETURN_IF_ERROR(SyncDirectories());
    return kept;
  }

 private:
  static absl::Status At(const Entry& entry, const absl::Status& status) {
    return Annotate(status, entry.path.empty() ? "the root" : Shown(entry.path));
  }

  absl::Status Prepare() {
    absl::flat_hash_map<Digest, const Entry*> contents;
    for (const Entry& entry : held_) {
      if (entry.type == EntryType::kFile) contents.try_emplace(entry.digest, &entry);
    }
    for (size_t i = 0; i < plan_.renames.size(); ++i) {
      const Entry& entry = wanted_[plan_.renames[i]];
      auto name = MakeNew(i, entry, contents);
      ZC_RETURN_IF_ERROR(At(entry, name.status()));
      names_.push_back(*std::move(name));
    }
    if (many_ && ::syncfs(stage_.fd()) != 0) return ErrnoStatus("syncfs");
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> MakeNew(size_t number, const Entry& entry,
                                      const absl::flat_hash_map<Digest, const Entry*>& contents) {
    if (entry.type == EntryType::kSymlink) return stage_.MakeSymlink(number, entry);
    UniqueFd held;
    auto content = contents.find(entry.digest);
    if (content != contents.end()) {
      ZC_ASSIGN_OR_RETURN(held, tree_.OpenAt(content->second->path, O_RDONLY | O_NONBLOCK));
    }
    return stage_.MakeFile(number, entry, std::move(held), !many_);
  }

  absl::Status Remove(const Entry& entry) {
    ZC_ASSIGN_OR_RETURN(Place place, Touch(entry.path));
    const int flags = IsDirectory(entry) ? AT_REMOVEDIR : 0;
    if (::unlinkat(place.directory.get(), place.name.c_str(), flags) == 0 || errno == ENOENT) {
      return absl::OkStatus();
    }
    if (errno == ENOTEMPTY) {
      return absl::FailedPreconditionError(
          "is gone on the master, but stays: it holds what is not replicated");
    }
    return ErrnoStatus("unlink");
  }

  absl::Status MakeDirectory(const Entry& entry) {
    ZC_ASSIGN_OR_RETURN(Place place, Touch(entry.path));
    if (::mkdirat(place.directory.get(), place.name.c_str(), 0700) != 0 && errno != EEXIST) {
      return ErrnoStatus("mkdir");
    }
    touched_.insert(entry.path);
    return SetAttributes(entry);
  }

  absl::Status PutInPlace(const Entry& entry, const std::string& name) {
    ZC_ASSIGN_OR_RETURN(Place place, Touch(entry.path));
    if (::renameat(stage_.fd(), name.c_str(), place.directory.get(), place.name.c_str()) != 0) {
      return ErrnoStatus("rename");
    }
    return absl::OkStatus();
  }

  absl::Status SetAttributes(const Entry& entry) {
    if (entry.type == EntryType::kSymlink) {
      ZC_ASSIGN_OR_RETURN(Place place, Touch(entry.path));
      if (::fchownat(place.directory.get(), place.name.c_str(), entry.uid, entry.gid,
                     AT_SYMLINK_NOFOLLOW) != 0) {
        return ErrnoStatus("chown");
      }
      return absl::OkStatus();
    }
    ZC_ASSIGN_OR_RETURN(UniqueFd fd, tree_.OpenAt(entry.path, O_RDONLY | O_NONBLOCK));
    // The owner first: changing it clears bits of the mode.
    if (::fchown(fd.get(), entry.uid, entry.gid) != 0) return ErrnoStatus("chown");
    if (::fchmod(fd.get(), entry.mode) != 0) return ErrnoStatus("chmod");
    if (!many_ && ::fsync(fd.get()) != 0) return ErrnoStatus("fsync");
    return absl::OkStatus();
  }

  // Where `path` is; its directory is synced at the end.
  absl::StatusOr<Place> Touch(const std::string& path) {
    auto place = tree_.Locate(path);
    if (place.ok() && !path.empty()) touched_.insert(std::string(ParentOf(path)));
    if (path.empty()) root_itself_ = true;
    return place;
  }

  absl::Status SyncDirectories() {
    if (many_ || touched_.size() > kMaxSingleSyncs) {
      return ::syncfs(stage_.fd()) == 0 ? absl::OkStatus() : ErrnoStatus("syncfs");
    }
    for (const std::string& path : touched_) {
      auto fd = tree_.OpenAt(path, O_RDONLY | O_DIRECTORY);
      if (!fd.ok()) continue;  // deleted after something in it was
      if (::fsync(fd->get()) != 0) return ErrnoStatus(Shown(path));
    }
    if (!root_itself_) return absl::OkStatus();
    ZC_ASSIGN_OR_RETURN(Place root, tree_.Locate(""));
    const UniqueFd holder(::openat(root.directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return holder && ::fsync(holder.get()) == 0 ? absl::OkStatus() : ErrnoStatus("fsync");
  }

  const Tree& tree_;
  Stage& stage_;
  const std::vector<Entry>& held_;
  const std::vector<Entry>& wanted_;
  const Plan& plan_;
  const bool many_;
  std::vector<std::string> names_;  // in the stage, of plan_.renames
  std::set<std::string> touched_;   // directories whose entries changed
  bool root_itself_ = false;        // so did the directory that holds the root
};

}  // namespace

Plan MakePlan(const Manifest& held, const Manifest& wanted) {
  Plan plan;
  absl::flat_hash_map<Digest, size_t> contents;
  for (const Entry& entry : held.entries) {
    if (entry.type == EntryType::kFile) ++contents[entry.digest];
  }
  for (size_t i = 0; i < wanted.entries.size(); ++i) {
    const Entry& entry = wanted.entries[i];
    const Entry* old = held.Find(entry.path);
    if (old != nullptr && SameContent(*old, entry)) {
      if (!(*old == entry)) plan.attributes.push_back(i);
    } else if (IsDirectory(entry)) {
      plan.directories.push_back(i);
    } else {
      plan.renames.push_back(i);
      if (entry.type == EntryType::kFile && !contents.contains(entry.digest)) {
        plan.missing.push_back(Content{entry.size, entry.digest});
      }
    }
  }
  // From the back: what a directory holds sorts after it.
  std::set<absl::string_view>
      cleared;  // directories that must go before a file can take their name
  for (const Entry& entry : wanted.entries) {
    const Entry* old = held.Find(entry.path);
    if (old != nullptr && IsDirectory(*old) && !IsDirectory(entry)) cleared.insert(entry.path);
  }
  for (size_t i = held.entries.size(); i-- > 0;) {
    const Entry& old = held.entries[i];
    const Entry* entry = wanted.Find(old.path);
    bool in_cleared = false;
    for (absl::string_view up = old.path; !up.empty() && !in_cleared; up = ParentOf(up)) {
      in_cleared = cleared.count(up) > 0;
    }
    if (in_cleared || (entry != nullptr && IsDirectory(*entry) && !IsDirectory(old))) {
      plan.in_the_way.push_back(i);
    } else if (entry == nullptr) {
      plan.gone.push_back(i);
    }
  }
  return plan;
}

absl::Status Commit(const Tree& tree, Stage& stage, const Manifest& held, const Manifest& wanted,
                    const Plan& plan) {
  return Committer(tree, stage, held, wanted, plan).Run();
}

}  // namespace zcluster::configsync
