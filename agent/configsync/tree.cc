// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/configsync/manifest.h"
#include "common/status.h"

namespace zcluster::configsync {
namespace {

absl::StatusOr<UniqueFd> OpenBeneath(int directory, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<unsigned long long>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how));
    // EAGAIN: something was renamed meanwhile, and the kernel could not be sure of "beneath".
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  if (fd < 0) return ErrnoStatus(Shown(path));
  return UniqueFd(static_cast<int>(fd));
}

}  // namespace

absl::StatusOr<Tree> Tree::Open(const std::string& root) {
  const std::string holder = absl::StrCat(ParentOf(root), "/");
  UniqueFd fd(::open(holder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return ErrnoStatus(Shown(holder));
  return Tree(std::move(fd), root.substr(root.rfind('/') + 1));
}

std::string Tree::Full(absl::string_view path) const {
  return path.empty() ? name_ : absl::StrCat(name_, "/", path);
}

absl::StatusOr<UniqueFd> Tree::OpenAt(absl::string_view path, int flags) const {
  return OpenBeneath(holder_.get(), Full(path), flags);
}

absl::StatusOr<Place> Tree::Locate(absl::string_view path) const {
  if (path.empty()) {
    UniqueFd holder(::fcntl(holder_.get(), F_DUPFD_CLOEXEC, 3));
    if (!holder) return ErrnoStatus("dup");
    return Place{std::move(holder), name_};
  }
  const size_t slash = path.rfind('/');
  const absl::string_view name = slash == absl::string_view::npos ? path : path.substr(slash + 1);
  ZC_ASSIGN_OR_RETURN(UniqueFd directory, OpenAt(ParentOf(path), O_PATH | O_DIRECTORY));
  return Place{std::move(directory), std::string(name)};
}

}  // namespace zcluster::configsync
