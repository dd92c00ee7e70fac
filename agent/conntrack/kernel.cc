// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/kernel.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::conntrack {
namespace {

constexpr char kEvents[] = "/proc/sys/net/netfilter/nf_conntrack_events";

}  // namespace

absl::Status TurnEventsOn() {
  const UniqueFd fd(::open(kEvents, O_RDWR | O_CLOEXEC));
  if (!fd && errno == ENOENT) {
    return absl::FailedPreconditionError(
        absl::StrCat(kEvents,
                     " is missing: the kernel tracks no connections here; load it with `modprobe "
                     "-a nf_conntrack "
                     "nf_conntrack_netlink`, or set conntrack.replicate: false"));
  }
  char value = 0;
  if (!fd || (::pread(fd.get(), &value, 1, 0) == 1 && value != '1' &&
              ::pwrite(fd.get(), "1", 1, 0) != 1)) {
    return absl::FailedPreconditionError(
        absl::StrCat(ErrnoStatus(absl::StrCat("cannot set ", kEvents, " to 1")).message(),
                     "; the agent must be root and /proc/sys writable"));
  }
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
