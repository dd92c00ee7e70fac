// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "agent/heartbeat/options.h"
#include "common/child.h"
#include "common/unique_fd.h"

// keepalived's processes: a parent, which we start, and the one that does VRRP, which the parent
// starts again when it dies. When the parent dies the other gives up its addresses and leaves; when
// both die at once the addresses stay.
namespace zcluster::heartbeat {

// What a process is doing, as the kernel tells it (proc(5), /proc/PID/status).
struct Activity {
  char state = '?';    // R, S, D, T …
  uint64_t waits = 0;  // how often it has gone to wait for something (voluntary_ctxt_switches)

  // Whether somebody stopped it (SIGSTOP, a debugger).
  bool IsStopped() const { return state == 'T' || state == 't'; }
};

// A running process that is surely the one meant.
struct FoundProcess {
  pid_t pid = -1;
  UniqueFd pidfd;  // readable once it has ended

  bool HasEnded() const;
  // Nothing if it has ended.
  absl::optional<Activity> Look() const;
  // Where in the kernel it waits, such as "folio_wait_bit"; "" if it does not, or nobody may know.
  std::string WaitsIn() const;
  void Signal(int signal) const;
};

// The process that `pid_file` names, if it runs and is a keepalived with our configuration: a pid
// outlives its process, and may be anybody's by now.
absl::optional<FoundProcess> FindProcess(const std::string& pid_file, const Options& options);

// Every keepalived with our configuration in our namespaces, by /proc: one that was just started
// has not written its pid file yet, and whoever started it may be dead. Parents before their
// children.
std::vector<FoundProcess> FindAllProcesses(const Options& options);

// Removes keepalived's pid files whose processes FindProcess does not find: with a stale one it
// says "daemon is already running" and ends with exit code 0.
void RemoveStalePidFiles(const Options& options);

// Starts keepalived's own check of the configuration in `path`; what it has to say comes in
// `output`, a memory file.
absl::StatusOr<Child> StartCheck(const std::string& path, int output, const Options& options);

// How keepalived is called, by whoever starts it.
std::vector<std::string> KeepalivedArgv(const Options& options);

// Starts keepalived so that it outlives us: a session of its own, none of our descriptors, its
// words in LogPath().
absl::StatusOr<Child> StartKeepalived(const Options& options);

// Empties the log once it has more than 4 MiB: after a split keepalived may say a line for each
// advert, and the log is in memory.
void BoundLog(const Options& options);

}  // namespace zcluster::heartbeat
