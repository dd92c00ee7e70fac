// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

absl::Status WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus("write");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

std::string ReceivedName(const Digest& digest) { return absl::StrCat("received-", digest.Hex()); }
std::string NewName(size_t number) { return absl::StrCat("new-", number); }

// A stage is flat: files and links only.
absl::Status RemoveStage(int holder, const std::string& name) {
  UniqueFd fd(::openat(holder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno == ENOENT ? absl::OkStatus() : ErrnoStatus(name);
  std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd.Release()), &::closedir);
  if (listing == nullptr) return ErrnoStatus(name);
  while (const dirent* found = ::readdir(listing.get())) {
    ::unlinkat(::dirfd(listing.get()), found->d_name, 0);
  }
  if (::unlinkat(holder, name.c_str(), AT_REMOVEDIR) != 0) return ErrnoStatus(name);
  return absl::OkStatus();
}

// Files beside each other have a stage each.
std::string BesideName(absl::string_view root) {
  Hasher hasher;
  hasher.Add(root);
  return absl::StrCat(kStagePrefix, "-", hasher.Finish().Hex());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stage>> Stage::Make(const Tree& tree, absl::string_view root,
                                                   bool is_file) {
  const std::string name = is_file ? BesideName(root) : std::string(kStagePrefix);
  UniqueFd holder;
  if (is_file) {
    ZC_ASSIGN_OR_RETURN(Place place, tree.Locate(""));
    holder = std::move(place.directory);
  } else {
    ZC_ASSIGN_OR_RETURN(holder, tree.OpenAt("", O_PATH | O_DIRECTORY));
  }
  ZC_RETURN_IF_ERROR(RemoveStage(holder.get(), name));
  if (::mkdirat(holder.get(), name.c_str(), 0700) != 0) return ErrnoStatus(name);
  UniqueFd directory(
      ::openat(holder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return ErrnoStatus(name);
  return std::unique_ptr<Stage>(new Stage(std::move(holder), name, std::move(directory)));
}

absl::Status Stage::RemoveLeftovers(absl::string_view root) {
  auto tree = Tree::Open(std::string(root));
  if (!tree.ok()) return absl::IsNotFound(tree.status()) ? absl::OkStatus() : tree.status();
  ZC_ASSIGN_OR_RETURN(Place beside, tree->Locate(""));
  ZC_RETURN_IF_ERROR(RemoveStage(beside.directory.get(), BesideName(root)));
  auto inside = tree->OpenAt("", O_PATH | O_DIRECTORY);
  return inside.ok() ? RemoveStage(inside->get(), kStagePrefix) : absl::OkStatus();
}

Stage::~Stage() { RemoveStage(holder_.get(), name_).IgnoreError(); }

absl::Status Stage::CheckSpace(uint64_t bytes) const {
  struct statvfs stat {};
  if (::fstatvfs(directory_.get(), &stat) != 0) return ErrnoStatus("statvfs");
  const uint64_t available = stat.f_bavail * stat.f_frsize;
  if (bytes <= available) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the generation needs ", bytes, " bytes, and ", available, " are free"));
}

void Stage::Expect(const Content& content) {
  Expected& expected = expected_[content.digest];
  expected.size = content.size;
  ++expected.uses;
}

absl::Status Stage::Receive(const Digest& digest, absl::string_view bytes, bool last) {
  if (!receiving_) {
    auto expected = expected_.find(digest);
    if (expected == expected_.end() || expected->second.received) {
      return absl::InvalidArgumentError("a content that was not asked for");
    }
    receiving_.Reset(::openat(directory_.get(), ReceivedName(digest).c_str(),
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!receiving_) return ErrnoStatus("stage");
    receiving_digest_ = digest;
    received_ = 0;
    hasher_ = std::make_unique<Hasher>();
  }
  if (digest != receiving_digest_) {
    return absl::InvalidArgumentError("a content begins before the last one ended");
  }
  received_ += bytes.size();
  if (received_ > expected_[digest].size) {
    return absl::InvalidArgumentError("a content is longer than its entry says");
  }
  ZC_RETURN_IF_ERROR(WriteAll(receiving_.get(), bytes));
  hasher_->Add(bytes);
  return last ? CheckFinished(digest) : absl::OkStatus();
}

absl::Status Stage::CheckFinished(const Digest& digest) {
  Expected& expected = expected_[digest];
  if (received_ != expected.size || hasher_->Finish() != digest) {
    return absl::InvalidArgumentError("a content is not what its digest says");
  }
  expected.received = true;
  receiving_.Reset();
  return absl::OkStatus();
}

absl::Status Stage::CheckComplete() const {
  for (const auto& [digest, expected] : expected_) {
    if (!expected.received) {
      return absl::InvalidArgumentError(absl::StrCat("commit without the content ", digest.Hex()));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Stage::MakeFile(size_t number, const Entry& entry, UniqueFd held,
                                            bool to_disk) {
  const std::string name = NewName(number);
  ZC_ASSIGN_OR_RETURN(UniqueFd file, NewContent(name, entry, std::move(held)));
  // The owner first: changing it clears bits of the mode.
  if (::fchown(file.get(), entry.uid, entry.gid) != 0) return ErrnoStatus("chown");
  if (::fchmod(file.get(), entry.mode) != 0) return ErrnoStatus("chmod");
  if (to_disk && ::fsync(file.get()) != 0) return ErrnoStatus("fsync");
  return name;
}

absl::StatusOr<UniqueFd> Stage::NewContent(const std::string& name, const Entry& entry,
                                           UniqueFd held) {
  if (held) return Copy(held.get(), name, entry.digest);
  const std::string received = ReceivedName(entry.digest);
  UniqueFd fd(::openat(directory_.get(), received.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return ErrnoStatus("stage");
  if (--expected_[entry.digest].uses > 0) return Copy(fd.get(), name, entry.digest);
  if (::renameat(directory_.get(), received.c_str(), directory_.get(), name.c_str()) != 0) {
    return ErrnoStatus("stage");
  }
  return fd;
}

absl::StatusOr<UniqueFd> Stage::Copy(int from, const std::string& name, const Digest& digest) {
  UniqueFd to(::openat(directory_.get(), name.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) return ErrnoStatus("stage");
  Hasher hasher;
  std::vector<char> buffer(256 << 10);
  while (true) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("read");
    if (got == 0) break;
    const absl::string_view piece(buffer.data(), static_cast<size_t>(got));
    hasher.Add(piece);
    ZC_RETURN_IF_ERROR(WriteAll(to.get(), piece));
  }
  if (hasher.Finish() != digest) {
    return absl::AbortedError("a file here changed while it was copied");
  }
  return to;
}

absl::StatusOr<std::string> Stage::MakeSymlink(size_t number, const Entry& entry) {
  const std::string name = NewName(number);
  if (::symlinkat(entry.target.c_str(), directory_.get(), name.c_str()) != 0) {
    return ErrnoStatus("symlink");
  }
  if (::fchownat(directory_.get(), name.c_str(), entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return ErrnoStatus("chown");
  }
  return name;
}

}  // namespace zcluster::configsync
