// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/token_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/pki.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::controller_link {
namespace {

// A token has about 90 characters.
constexpr size_t kMaxBytes = 1024;

}  // namespace

absl::StatusOr<std::string> ReadTokenFile(const std::string& path) {
  // Not waiting for a writer, should it be a FIFO.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ELOOP) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is a link; put the token into a file of its own there"));
  }
  if (!file) return ErrnoStatus(path);
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return ErrnoStatus(path);
  if (!S_ISREG(found.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": is not a regular file"));
  }
  if ((found.st_uid != 0 && found.st_uid != ::geteuid()) || (found.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path,
                     ": others than root may read or change it; make a new token, and put it "
                     "there with: install -m 0600 -o root -g root"));
  }
  std::string text(kMaxBytes + 1, '\0');
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size < 0) return ErrnoStatus(path);
  if (static_cast<size_t>(size) > kMaxBytes) {
    pki::Wipe(text);
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": has more than ", kMaxBytes, " bytes, and is no token"));
  }
  text.resize(static_cast<size_t>(size));
  return text;
}

}  // namespace zcluster::controller_link
