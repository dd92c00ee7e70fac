// SPDX-License-Identifier: Apache-2.0
#include "common/identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/file.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::identity {
namespace {

namespace fs = std::filesystem;

constexpr char kCurrent[] = "current";
// What becomes `current` by one rename.
constexpr char kNext[] = "current.new";
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;
// A certificate of ours is about 800 bytes.
constexpr size_t kMaxPem = 256 << 10;

struct Part {
  const char* name;
  std::string Identity::*content;
  bool optional;
};
constexpr Part kParts[] = {{"node.crt", &Identity::certificate, false},
                           {"node.key", &Identity::key, false},
                           {"ca.crt", &Identity::ca, false},
                           {"ca.key", &Identity::ca_key, true}};

std::string In(const std::string& directory, absl::string_view name) {
  return absl::StrCat(directory, "/", name);
}

std::string NameOf(uint64_t version) { return absl::StrCat("v", version); }

// The version that a directory of this name holds; none if it is not one of ours.
absl::optional<uint64_t> VersionIn(absl::string_view name) {
  uint64_t version = 0;
  if (name.empty() || !absl::SimpleAtoi(name.substr(1), &version) || NameOf(version) != name) {
    return absl::nullopt;
  }
  return version;
}

absl::Status SyncDirectory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return ErrnoStatus(path);
  return absl::OkStatus();
}

absl::Status SyncParent(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return SyncDirectory(parent.empty() ? "." : parent);
}

absl::Status Unlink(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return ErrnoStatus(path);
}

absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  return error ? ErrnoStatus(path, error.value()) : absl::OkStatus();
}

// The version that `current` leads to; none if there is no such link.
absl::StatusOr<absl::optional<uint64_t>> Present(const std::string& directory) {
  const std::string link = In(directory, kCurrent);
  char target[32];
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  if (size < 0 && errno == ENOENT) return absl::nullopt;
  if (size < 0 && errno != EINVAL) return ErrnoStatus(link);
  const absl::optional<uint64_t> version =
      size < 0 ? absl::nullopt : VersionIn({target, static_cast<size_t>(size)});
  if (!version) {
    return absl::FailedPreconditionError(absl::StrCat(
        link, ": is not a link to a version of this node's identity (v1, v2, ...) beside it"));
  }
  return version;
}

absl::StatusOr<std::vector<uint64_t>> Versions(const std::string& directory) {
  std::vector<uint64_t> versions;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const absl::optional<uint64_t> version = VersionIn(entry->path().filename().string());
    if (version) versions.push_back(*version);
  }
  if (error) return ErrnoStatus(directory, error.value());
  return versions;
}

// Before a new version is written: takes away what a crash left half-made, and those that are older
// than the present one. (What stays is the one before the new one: who reads it meanwhile, file by
// file, reads it whole.) Returns the highest number seen.
absl::StatusOr<uint64_t> TidyUp(const std::string& directory, absl::optional<uint64_t> present) {
  ZC_RETURN_IF_ERROR(Unlink(In(directory, kNext)));
  ZC_ASSIGN_OR_RETURN(const std::vector<uint64_t> versions, Versions(directory));
  uint64_t highest = present.value_or(0);
  for (const uint64_t version : versions) {
    highest = std::max(highest, version);
    if (version != present) ZC_RETURN_IF_ERROR(RemoveTree(In(directory, NameOf(version))));
  }
  return highest;
}

absl::Status WriteVersion(const std::string& directory, const Identity& identity) {
  if (::mkdir(directory.c_str(), kDirectoryMode) != 0) return ErrnoStatus(directory);
  for (const Part& part : kParts) {
    const std::string& content = identity.*part.content;
    if (part.optional && content.empty()) continue;
    ZC_RETURN_IF_ERROR(WriteFileDurably(In(directory, part.name), content, kFileMode));
  }
  return SyncParent(directory);
}

// The one step that counts.
absl::Status PointTo(const std::string& directory, uint64_t version) {
  const std::string next = In(directory, kNext);
  const std::string current = In(directory, kCurrent);
  if (::symlink(NameOf(version).c_str(), next.c_str()) != 0) return ErrnoStatus(next);
  if (::rename(next.c_str(), current.c_str()) != 0) return ErrnoStatus(current);
  return SyncDirectory(directory);
}

}  // namespace

tls::Files FilesIn(const std::string& directory) {
  const std::string current = In(directory, kCurrent);
  return {In(current, "node.crt"), In(current, "node.key"), In(current, "ca.crt")};
}

absl::Status Install(const std::string& directory, const Identity& identity) {
  ZC_RETURN_IF_ERROR(MakeDirectories(directory, kDirectoryMode));
  if (::chmod(directory.c_str(), kDirectoryMode) != 0) return ErrnoStatus(directory);
  ZC_RETURN_IF_ERROR(SyncParent(directory));
  ZC_ASSIGN_OR_RETURN(const absl::optional<uint64_t> present, Present(directory));
  ZC_ASSIGN_OR_RETURN(const uint64_t highest, TidyUp(directory, present));
  const std::string made = In(directory, NameOf(highest + 1));
  if (const absl::Status written = WriteVersion(made, identity); !written.ok()) {
    RemoveTree(made).IgnoreError();  // a full disk needs the room; else the next Install does it
    return written;
  }
  return PointTo(directory, highest + 1);
}

absl::StatusOr<Identity> Load(const std::string& directory) {
  ZC_ASSIGN_OR_RETURN(const absl::optional<uint64_t> present, Present(directory));
  if (!present) return absl::NotFoundError(absl::StrCat(directory, ": holds no identity"));
  Identity identity;
  for (const Part& part : kParts) {
    // Through the version, not the link: the link may move between two files.
    const std::string path = In(In(directory, NameOf(*present)), part.name);
    absl::StatusOr<std::string> content = ReadFile(path, kMaxPem);
    if (content.ok()) {
      identity.*part.content = *std::move(content);
    } else if (!absl::IsNotFound(content.status())) {
      return content.status();
    } else if (!part.optional) {
      return absl::DataLossError(absl::StrCat(
          path, ": is missing from this node's identity; bring it back from a backup, or give the",
          " identity up with: zctl cluster unconfigure --local"));
    }
  }
  return identity;
}

absl::Status Remove(const std::string& directory) {
  // The link first: a crash behind it leaves no identity, and rubbish that the next Install or
  // Remove takes away.
  if (const absl::Status status = Unlink(In(directory, kCurrent)); !status.ok()) return status;
  const absl::StatusOr<std::vector<uint64_t>> versions = Versions(directory);
  if (absl::IsNotFound(versions.status())) return absl::OkStatus();
  ZC_RETURN_IF_ERROR(versions.status());
  ZC_RETURN_IF_ERROR(SyncDirectory(directory));
  ZC_RETURN_IF_ERROR(TidyUp(directory, absl::nullopt).status());
  // What is not ours stays, and the directory with it.
  if (::rmdir(directory.c_str()) != 0 && errno != ENOTEMPTY) return ErrnoStatus(directory);
  return SyncParent(directory);
}

}  // namespace zcluster::identity
