// SPDX-License-Identifier: Apache-2.0
#include "common/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster {
namespace {

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status WriteAll(int fd, absl::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

// What was renamed or removed in it stays so.
absl::Status SyncDirectory(const std::string& directory) {
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return ErrnoStatus(directory);
  return absl::OkStatus();
}

// Writes a temporary file beside `path`, with exactly `mode` whatever the umask, and renames it
// over.
absl::Status Replace(const std::string& path, absl::string_view content, unsigned mode, bool sync) {
  static std::atomic<unsigned> counter{0};
  const std::string temporary = absl::StrCat(path, ".", ::getpid(), ".", counter++, ".tmp");
  UniqueFd fd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) return ErrnoStatus(temporary);
  absl::Status status = WriteAll(fd.get(), content, temporary);
  if (status.ok() && ::fchmod(fd.get(), mode) != 0) status = ErrnoStatus(temporary);
  if (status.ok() && sync && ::fsync(fd.get()) != 0) status = ErrnoStatus(temporary);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) status = ErrnoStatus(path);
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t limit) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return ErrnoStatus(path);
  std::string content;
  char buffer[65536];
  while (true) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(path);
    if (n == 0) return content;
    if (content.size() + static_cast<size_t>(n) > limit) {
      return absl::ResourceExhaustedError(absl::StrCat(path, ": larger than ", limit, " bytes"));
    }
    content.append(buffer, static_cast<size_t>(n));
  }
}

absl::Status WriteFileDurably(const std::string& path, absl::string_view content, unsigned mode) {
  ZC_RETURN_IF_ERROR(Replace(path, content, mode, /*sync=*/true));
  return SyncDirectory(DirectoryOf(path));
}

void RemoveLeftovers(const std::string& path) {
  const std::string directory = DirectoryOf(path);
  const std::string begin = absl::StrCat(path.substr(path.rfind('/') + 1), ".");
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
  while (entries != nullptr) {
    const dirent* entry = ::readdir(entries.get());
    if (entry == nullptr) return;
    const absl::string_view name = entry->d_name;
    if (absl::StartsWith(name, begin) && absl::EndsWith(name, ".tmp")) {
      ::unlink(absl::StrCat(directory, "/", name).c_str());
    }
  }
}

absl::Status RemoveFileDurably(const std::string& path) {
  if (::unlink(path.c_str()) != 0) {
    return errno == ENOENT ? absl::OkStatus() : ErrnoStatus(path);
  }
  return SyncDirectory(DirectoryOf(path));
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content,
                                 unsigned mode) {
  return Replace(path, content, mode, /*sync=*/false);
}

absl::Status MakeDirectories(const std::string& path, unsigned mode) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) return ErrnoStatus(parent);
  }
  if (::mkdir(path.c_str(), mode) == 0) {
    if (::chmod(path.c_str(), mode) != 0) return ErrnoStatus(path);
    return absl::OkStatus();
  }
  if (errno != EEXIST) return ErrnoStatus(path);
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return ErrnoStatus(path);
  if (!S_ISDIR(info.st_mode))
    return absl::FailedPreconditionError(absl::StrCat(path, ": is not a directory"));
  return absl::OkStatus();
}

}  // namespace zcluster
