// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/unique_fd.h"

namespace zcluster {

// How a program ended.
struct ChildExit {
  int code = -1;   // its exit code, or -1
  int signal = 0;  // the signal that killed it, or 0
  bool ok() const { return code == 0; }
  // "exit code 5" or "signal 9".
  std::string ToString() const;
};

// A program that we started, in our network namespace, with default signals. Nothing of ours stays
// open in it but what Options names. Not thread-safe. Destroying it neither ends nor reaps the
// program.
class Child {
 public:
  struct Options {
    std::vector<std::string> argv;  // argv[0] is the path of the program; no shell, no search
    int input = -1;                 // its standard input; -1: /dev/null
    int output = -1;                // its standard output and error; -1: /dev/null
    // Of its own: a signal to our terminal or session does not reach it, so that it can outlive us.
    bool own_session = false;
  };
  // NOT_FOUND and the like if the program cannot be executed.
  static absl::StatusOr<Child> Start(const Options& options);

  pid_t pid() const { return pid_; }
  // Readable once it has ended.
  const UniqueFd& pidfd() const { return pidfd_; }
  // For whoever only watches from now on; ReapChild() then takes the place of Exit().
  UniqueFd TakePidfd() { return std::move(pidfd_); }
  // Sends `signal` to it, and to nobody else even if its pid was used again.
  void Signal(int signal) const;
  // How it ended; nothing while it runs. Reaps it.
  absl::optional<ChildExit> Exit();

 private:
  Child(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  UniqueFd pidfd_;
};

// How the process behind `pidfd` ended, if it was a child of ours and has ended. Reaps it.
absl::optional<ChildExit> ReapChild(int pidfd);

// A file without a name, in memory, closed on exec: for a program's input (with `content`, to be
// read from the start) and output.
absl::StatusOr<UniqueFd> MakeMemoryFile(absl::string_view content = "");

// At most the first 64 KiB of it.
std::string ReadMemoryFile(int fd);

// Runs a program to its end with `input` on its standard input. Blocks, for at most `limit` (then
// it is killed: DEADLINE_EXCEEDED), so never on a loop that serves. An end other than exit code 0
// is INTERNAL, with what the program said.
absl::Status RunProgram(const std::vector<std::string>& argv, absl::string_view input,
                        absl::Duration limit);

}  // namespace zcluster
