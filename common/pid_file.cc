// SPDX-License-Identifier: Apache-2.0
#include "common/pid_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster {

absl::StatusOr<UniqueFd> TakePidFile(const std::string& path, const std::string& program) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return ErrnoStatus(path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::AlreadyExistsError(absl::StrCat(path, ": another ", program,
                                                 " runs; stop it first, or use another --run-dir"));
  }
  const std::string pid = absl::StrCat(::getpid(), "\n");
  if (::ftruncate(fd.get(), 0) != 0 || ::write(fd.get(), pid.data(), pid.size()) < 0)
    return ErrnoStatus(path);
  return fd;
}

}  // namespace zcluster
