// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/kernel.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::conntrack {
namespace {

constexpr char kEvents[] = "/proc/sys/net/netfilter/nf_conntrack_events";

// That flows survive matters more than that a node is given back as it was, so a disk that fails is
// no reason not to go on.
void Remember(char value, const std::string& state_file) {
  if (state_file.empty() || ::access(state_file.c_str(), F_OK) == 0) return;
  const absl::Status written =
      WriteFileDurably(state_file, absl::StrCat(std::string(1, value), "\n"), 0600);
  if (!written.ok()) {
    log::Warning("conntrack_events_not_remembered",
                 {{"value", std::string(1, value)}, {"problem", std::string(written.message())}});
  }
}

// 0 for what cannot be read.
uint64_t ReadNumber(const char* path) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : 0;
}

}  // namespace

TableFill ReadTableFill() {
  return {ReadNumber("/proc/sys/net/netfilter/nf_conntrack_count"),
          ReadNumber("/proc/sys/net/netfilter/nf_conntrack_max")};
}

absl::Status TurnEventsOn(const std::string& state_file) {
  const UniqueFd fd(::open(kEvents, O_RDWR | O_CLOEXEC));
  if (!fd && errno == ENOENT) {
    return absl::FailedPreconditionError(
        absl::StrCat(kEvents,
                     " is missing: the kernel tracks no connections here; load it with `modprobe "
                     "-a nf_conntrack "
                     "nf_conntrack_netlink`, or set conntrack.replicate: false"));
  }
  char value = 0;
  const bool known = fd && ::pread(fd.get(), &value, 1, 0) == 1;
  if (known && value == '1') return absl::OkStatus();
  if (known) Remember(value, state_file);
  if (!fd || (known && ::pwrite(fd.get(), "1", 1, 0) != 1)) {
    return absl::FailedPreconditionError(
        absl::StrCat(ErrnoStatus(absl::StrCat("cannot set ", kEvents, " to 1")).message(),
                     "; the agent must be root and /proc/sys writable"));
  }
  return absl::OkStatus();
}

absl::Status RestoreEvents(const std::string& state_file) {
  if (state_file.empty()) return absl::OkStatus();
  constexpr size_t kLongest = 64;
  const absl::StatusOr<std::string> before = ReadFile(state_file, kLongest);
  if (absl::IsNotFound(before.status())) return absl::OkStatus();
  ZC_RETURN_IF_ERROR(before.status());
  const absl::string_view value = absl::StripAsciiWhitespace(*before);
  if (value != "0" && value != "1" && value != "2") {
    return absl::DataLossError(absl::StrCat(state_file, ": \"", *before, "\" is no value of ",
                                            kEvents, "; set that by hand and remove the file"));
  }
  const UniqueFd fd(::open(kEvents, O_WRONLY | O_CLOEXEC));
  if (!fd && errno != ENOENT) return ErrnoStatus(kEvents);
  if (fd && ::pwrite(fd.get(), value.data(), 1, 0) != 1) return ErrnoStatus(kEvents);
  if (::unlink(state_file.c_str()) != 0) return ErrnoStatus(state_file);
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
