// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "common/status.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot this for C++
}

namespace zcluster::heartbeat {
namespace {

constexpr off_t kLongestLog = 4 << 20;

// Whether the command line of `pid` is keepalived's with our configuration. A process that has
// ended has none.
bool IsOurs(pid_t pid, const Options& options) {
  absl::StatusOr<std::string> command_line = ReadFile(absl::StrCat("/proc/", pid, "/cmdline"));
  if (!command_line.ok()) return false;
  const std::vector<std::string> arguments = absl::StrSplit(*command_line, '\0');
  for (size_t i = 1; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == "-f" && arguments[i + 1] == options.ConfigPath()) return true;
  }
  return false;
}

// A container's keepalived may have the same command line.
bool SharesNamespaces(pid_t pid) {
  for (const char* space : {"net", "mnt"}) {
    struct stat own, other;
    if (::stat(absl::StrCat("/proc/thread-self/ns/", space).c_str(), &own) != 0 ||
        ::stat(absl::StrCat("/proc/", pid, "/ns/", space).c_str(), &other) != 0 ||
        own.st_ino != other.st_ino) {
      return false;
    }
  }
  return true;
}

// Of a line "KEY:\tVALUE" in /proc/PID/status, "" if there is none. Never in the first one, which
// has the name: that may be anything.
absl::string_view ValueOf(absl::string_view status, absl::string_view key) {
  const std::string head = absl::StrCat("\n", key, ":\t");
  const size_t begin = status.find(head);
  if (begin == absl::string_view::npos) return "";
  const absl::string_view rest = status.substr(begin + head.size());
  return rest.substr(0, rest.find('\n'));
}

}  // namespace

bool FoundProcess::HasEnded() const {
  pollfd wait = {pidfd.get(), POLLIN, 0};
  return ::poll(&wait, 1, 0) != 0;
}

absl::optional<Activity> FoundProcess::Look() const {
  constexpr size_t kLongest = 16384;  // its lists of processors and groups may be long
  const absl::StatusOr<std::string> status =
      ReadFile(absl::StrCat("/proc/", pid, "/status"), kLongest);
  if (!status.ok()) return absl::nullopt;
  const absl::string_view state = ValueOf(*status, "State");
  Activity activity;
  if (state.empty() ||
      !absl::SimpleAtoi(ValueOf(*status, "voluntary_ctxt_switches"), &activity.waits)) {
    return absl::nullopt;
  }
  activity.state = state[0];
  return activity;
}

std::string FoundProcess::WaitsIn() const {
  constexpr size_t kLongest = 256;
  const absl::StatusOr<std::string> place =
      ReadFile(absl::StrCat("/proc/", pid, "/wchan"), kLongest);
  return place.ok() && *place != "0" ? *place : "";
}

void FoundProcess::Signal(int signal) const {
  ::pidfd_send_signal(pidfd.get(), signal, nullptr, 0);
}

absl::optional<FoundProcess> FindProcess(const std::string& pid_file, const Options& options) {
  constexpr size_t kLongest = 64;
  const absl::StatusOr<std::string> content = ReadFile(pid_file, kLongest);
  pid_t pid = -1;
  if (!content.ok() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(*content), &pid) || pid <= 1) {
    return absl::nullopt;
  }
  FoundProcess found{.pid = pid, .pidfd = UniqueFd(::pidfd_open(pid, 0))};
  // In this order: if it still runs after its command line was read, that line was its own.
  if (!found.pidfd || !IsOurs(pid, options) || found.HasEnded()) return absl::nullopt;
  return found;
}

std::vector<FoundProcess> FindAllProcesses(const Options& options) {
  std::vector<pid_t> pids;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  while (proc != nullptr) {
    const dirent* entry = ::readdir(proc.get());
    if (entry == nullptr) break;
    pid_t pid = -1;
    if (absl::SimpleAtoi(entry->d_name, &pid) && pid > 1) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  std::vector<FoundProcess> found;
  for (const pid_t pid : pids) {
    if (!IsOurs(pid, options) || !SharesNamespaces(pid)) continue;
    FoundProcess process{.pid = pid, .pidfd = UniqueFd(::pidfd_open(pid, 0))};
    if (process.pidfd && IsOurs(pid, options) && !process.HasEnded()) {
      found.push_back(std::move(process));
    }
  }
  return found;
}

void RemoveStalePidFiles(const Options& options) {
  for (const std::string& path :
       {options.PidPath(), options.VrrpPidPath(), options.CheckersPidPath()}) {
    if (!FindProcess(path, options)) ::unlink(path.c_str());
  }
}

absl::StatusOr<Child> StartCheck(const std::string& path, int output, const Options& options) {
  return Child::Start({.argv = {options.keepalived, "-t", "-P", "-f", path}, .output = output});
}

// -n: stay our child, so that we know at once how it ended. -P: VRRP alone.
std::vector<std::string> KeepalivedArgv(const Options& options) {
  return {options.keepalived,
          "-n",
          "-l",
          "-D",
          "-G",
          "-P",
          "-f",
          options.ConfigPath(),
          "-p",
          options.PidPath(),
          "-r",
          options.VrrpPidPath(),
          "-c",
          options.CheckersPidPath()};
}

absl::StatusOr<Child> StartKeepalived(const Options& options) {
  const std::string log = options.LogPath();
  UniqueFd output(
      ::open(log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!output) return ErrnoStatus(log);
  return Child::Start(
      {.argv = KeepalivedArgv(options), .output = output.get(), .own_session = true});
}

void BoundLog(const Options& options) {
  struct stat info = {};
  if (::stat(options.LogPath().c_str(), &info) == 0 && info.st_size > kLongestLog) {
    // keepalived appends, so that its next line is the first one then.
    if (::truncate(options.LogPath().c_str(), 0) != 0) return;
  }
}

}  // namespace zcluster::heartbeat
