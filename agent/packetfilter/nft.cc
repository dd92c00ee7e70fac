// SPDX-License-Identifier: Apache-2.0
#include "agent/packetfilter/nft.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::packetfilter {
namespace {

constexpr size_t kMostWords = 4096;  // of nft's complaint

// A file in memory: neither side can block the other, as with a pipe.
absl::StatusOr<UniqueFd> MemoryFile(const char* name, const std::string& content) {
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd) return ErrnoStatus("memfd_create");
  if (::pwrite(fd.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size())) {
    return ErrnoStatus("memfd write");
  }
  return fd;
}

absl::StatusOr<pid_t> Spawn(const std::string& nft, int input, int complaints) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, complaints, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO);
  std::string program = nft;
  std::string flag = "-f";
  std::string from = "-";
  char* argv[] = {program.data(), flag.data(), from.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, nft.c_str(), &actions, nullptr, argv, environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return ErrnoStatus(absl::StrCat(nft, " (is the package nftables installed?)"), error);
  return pid;
}

std::string Complaints(int fd) {
  std::string words(kMostWords, '\0');
  const ssize_t n = ::pread(fd, words.data(), words.size(), 0);
  words.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return std::string(absl::StripAsciiWhitespace(words));
}

}  // namespace

absl::Status LoadRuleset(const std::string& nft, const std::string& ruleset, absl::Duration limit) {
  ZC_ASSIGN_OR_RETURN(const UniqueFd input, MemoryFile("ruleset", ruleset));
  ZC_ASSIGN_OR_RETURN(const UniqueFd complaints, MemoryFile("complaints", ""));
  ZC_ASSIGN_OR_RETURN(const pid_t pid, Spawn(nft, input.get(), complaints.get()));
  UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  const bool in_time = ::poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(limit))) == 1;
  if (!in_time) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return absl::DeadlineExceededError(absl::StrCat(nft, ": did not end within ", absl::FormatDuration(limit)));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(nft, " refused our table: ", Complaints(complaints.get())));
}

}  // namespace zcluster::packetfilter
