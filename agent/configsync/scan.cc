// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/configsync/tree.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

// Older than this, a change time tells two changes apart: kernels tick 100 times a second or more.
constexpr absl::Duration kClearlyPast = absl::Milliseconds(25);

bool Same(const struct timespec& a, const struct timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool Unchanged(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         Same(a.st_mtim, b.st_mtim) && Same(a.st_ctim, b.st_ctim);
}

class Scanner {
 public:
  Scanner(const Root& root, DigestCache& cache, const OnDirectory& on_directory)
      : root_(root), cache_(cache), on_directory_(on_directory) {}

  absl::Status Run() {
    auto tree = Tree::Open(root_.path);
    auto top = tree.ok() ? tree->OpenAt("", O_PATH) : tree.status();
    if (absl::IsNotFound(top.status())) {
      scan_.problem = absl::StrCat(Shown(root_.path), " does not exist");
      return absl::OkStatus();
    }
    ZC_RETURN_IF_ERROR(top.status());
    struct stat stat {};
    if (::fstat(top->get(), &stat) != 0) return ErrnoStatus(Shown(root_.path));
    device_ = stat.st_dev;
    if (S_ISLNK(stat.st_mode)) {
      Skip("", "is a symbolic link: name what it points to as the root");
    } else {
      ZC_ASSIGN_OR_RETURN(Place place, tree->Locate(""));
      Take(place.directory.get(), place.name, "", 0);
    }
    std::sort(scan_.manifest.entries.begin(), scan_.manifest.entries.end(),
              [](const Entry& a, const Entry& b) { return a.path < b.path; });
    return failed_;
  }

  Scan Result() {
    if (skipped_ > 1) absl::StrAppend(&scan_.problem, ", and ", skipped_ - 1, " more");
    return std::move(scan_);
  }

 private:
  void Skip(absl::string_view path, absl::string_view why) {
    if (skipped_++ > 0) return;
    scan_.problem = absl::StrCat(path.empty() ? Shown(root_.path) : Shown(path), " ", why);
  }

  // What could not be read must not look as if it were gone: the peer would delete it.
  void Fail(absl::string_view path, const absl::Status& status) {
    if (failed_.ok()) {
      failed_ = Annotate(status, path.empty() ? Shown(root_.path) : Shown(path));
    }
  }

  // Takes in what `directory` holds as `name`, at `path`.
  void Take(int directory, const std::string& name, const std::string& path, size_t depth) {
    struct stat stat {};
    if (::fstatat(directory, name.c_str(), &stat, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) Fail(path, ErrnoStatus("cannot be read"));
      return;  // gone since it was listed: the watch tells
    }
    if (stat.st_dev != device_) {
      Skip(path, "is on another filesystem: make it a root of its own, or exclude it");
    } else if (scan_.manifest.entries.size() >= kMaxEntries) {
      Fail("", absl::ResourceExhaustedError(absl::StrCat("has more than ", kMaxEntries,
                                                         " entries: exclude some, or split it")));
    } else if (S_ISDIR(stat.st_mode)) {
      TakeDirectory(directory, name, path, stat, depth);
    } else if (S_ISREG(stat.st_mode)) {
      TakeFile(directory, name, path, stat);
    } else if (S_ISLNK(stat.st_mode)) {
      TakeSymlink(directory, name, path, stat);
    } else {
      Skip(path,
           absl::StrCat("is a ", KindOf(stat.st_mode), ", which is not replicated: exclude it"));
    }
  }

  static const char* KindOf(mode_t mode) {
    if (S_ISSOCK(mode)) return "socket";
    if (S_ISFIFO(mode)) return "FIFO";
    return "device";
  }

  Entry& Add(const std::string& path, EntryType type, const struct stat& stat) {
    Entry& entry = scan_.manifest.entries.emplace_back();
    entry.path = path;
    entry.type = type;
    entry.mode = stat.st_mode & AllowedMode(type);
    entry.uid = stat.st_uid;
    entry.gid = stat.st_gid;
    return entry;
  }

  void TakeDirectory(int directory, const std::string& name, const std::string& path,
                     const struct stat& stat, size_t depth) {
    if (depth > kMaxDepth) return Skip(path, "is too deep");
    UniqueFd fd(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) {
      // Gone or replaced since it was seen: the watch tells.
      if (errno != ENOENT && errno != ENOTDIR) Fail(path, ErrnoStatus("cannot be read"));
      return;
    }
    on_directory_(fd.get());
    Add(path, EntryType::kDirectory, stat);
    std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd.Release()), &::closedir);
    if (listing == nullptr) return Fail(path, ErrnoStatus("cannot be read"));
    errno = 0;
    while (const dirent* found = ::readdir(listing.get())) {
      TakeChild(::dirfd(listing.get()), found->d_name, path, depth + 1);
      errno = 0;
    }
    if (errno != 0) Fail(path, ErrnoStatus("cannot be read"));
  }

  void TakeChild(int directory, const std::string& name, const std::string& parent, size_t depth) {
    if (name == "." || name == ".." || absl::StartsWith(name, kStagePrefix) ||
        IsExcluded(root_.exclude, name)) {
      return;
    }
    const std::string path = parent.empty() ? name : absl::StrCat(parent, "/", name);
    if (path.size() > kMaxPath) {
      Skip(path, "has too long a path");
    } else {
      Take(directory, name, path, depth);
    }
  }

  void TakeFile(int directory, const std::string& name, const std::string& path,
                const struct stat& seen) {
    struct stat stat = seen;
    const Digest* known = cache_.Find(path, stat);
    if (known != nullptr) return AddFile(path, stat, *known);
    // O_NONBLOCK: it may have become a FIFO since.
    UniqueFd fd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd || ::fstat(fd.get(), &stat) != 0) {
      if (errno != ENOENT && errno != ELOOP) Fail(path, ErrnoStatus("cannot be read"));
      return;
    }
    if (!S_ISREG(stat.st_mode)) return;  // replaced since: the watch tells
    if (static_cast<uint64_t>(stat.st_size) > kMaxFileSize) {
      return Skip(path, "is larger than 1 GiB: exclude it");
    }
    auto content = DigestOf(fd.get(), kMaxFileSize);
    struct stat after {};
    if (!content.ok() || ::fstat(fd.get(), &after) != 0) {
      return Fail(path, content.ok() ? ErrnoStatus("cannot be read")
                                     : Annotate(content.status(), "cannot be read"));
    }
    if (Unchanged(stat, after) && content->size == static_cast<uint64_t>(stat.st_size)) {
      cache_.Remember(path, stat, content->digest);
    } else {
      scan_.changing = true;
      stat.st_size = static_cast<off_t>(content->size);  // as it was read, whole or not
    }
    AddFile(path, stat, content->digest);
  }

  void AddFile(const std::string& path, const struct stat& stat, const Digest& digest) {
    Entry& entry = Add(path, EntryType::kFile, stat);
    entry.size = static_cast<uint64_t>(stat.st_size);
    entry.digest = digest;
    if ((stat.st_mode & (S_ISUID | S_ISGID)) != 0) {
      Skip(path,
           "is set-user-id or set-group-id, which is not replicated: clear it, or exclude it");
    }
  }

  void TakeSymlink(int directory, const std::string& name, const std::string& path,
                   const struct stat& stat) {
    char target[kMaxPath + 1];
    const ssize_t size = ::readlinkat(directory, name.c_str(), target, sizeof(target));
    if (size < 0) return;  // replaced since: the watch tells
    const absl::string_view points_to(target, static_cast<size_t>(size));
    if (!CheckTarget(root_.path, path, points_to).ok()) {
      return Skip(path, absl::StrCat("is a symbolic link out of the root, to ", Shown(points_to),
                                     ", which is not replicated: exclude it"));
    }
    Add(path, EntryType::kSymlink, stat).target = std::string(points_to);
  }

  const Root& root_;
  DigestCache& cache_;
  const OnDirectory& on_directory_;
  Scan scan_;
  size_t skipped_ = 0;
  absl::Status failed_;
  dev_t device_ = 0;
};

}  // namespace

const Digest* DigestCache::Find(const std::string& path, const struct stat& now) {
  auto found = known_.find(path);
  if (found == known_.end() || !Unchanged(found->second.stat, now)) return nullptr;
  found->second.pass = pass_;
  return &found->second.digest;
}

void DigestCache::Remember(const std::string& path, const struct stat& when_read,
                           const Digest& digest) {
  if (absl::Now() - absl::TimeFromTimespec(when_read.st_ctim) < kClearlyPast) return;
  known_[path] = Known{when_read, digest, pass_};
}

void DigestCache::EndPass() {
  absl::erase_if(known_, [this](const auto& known) { return known.second.pass != pass_; });
  ++pass_;
}

absl::StatusOr<Scan> ScanRoot(const Root& root, DigestCache& cache,
                              const OnDirectory& on_directory) {
  Scanner scanner(root, cache, on_directory);
  ZC_RETURN_IF_ERROR(scanner.Run());
  cache.EndPass();
  return scanner.Result();
}

}  // namespace zcluster::configsync
