// SPDX-License-Identifier: Apache-2.0
#include "common/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/ascii.h"
#include "common/status.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot this for C++
}

namespace zcluster {
namespace {

constexpr size_t kMostOutput = 64 << 10;

// Owns what posix_spawn wants prepared.
struct SpawnSetup {
  SpawnSetup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  void Connect(int fd, int target, int flags) {
    if (fd < 0) {
      ::posix_spawn_file_actions_addopen(&actions, target, "/dev/null", flags, 0);
    } else {
      ::posix_spawn_file_actions_adddup2(&actions, fd, target);
    }
  }

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

}  // namespace

std::string ChildExit::ToString() const {
  return signal != 0 ? absl::StrCat("signal ", signal) : absl::StrCat("exit code ", code);
}

absl::StatusOr<Child> Child::Start(const Options& options) {
  SpawnSetup setup;
  setup.Connect(options.input, STDIN_FILENO, O_RDONLY);
  setup.Connect(options.output, STDOUT_FILENO, O_WRONLY);
  ::posix_spawn_file_actions_adddup2(&setup.actions, STDOUT_FILENO, STDERR_FILENO);
  // Libraries open descriptors without O_CLOEXEC; a long-lived child must not keep our sockets.
  ::posix_spawn_file_actions_addclosefrom_np(&setup.actions, STDERR_FILENO + 1);

  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&setup.attributes, &none);
  ::posix_spawnattr_setsigdefault(&setup.attributes, &all);
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (options.own_session) flags |= POSIX_SPAWN_SETSID;
  ::posix_spawnattr_setflags(&setup.attributes, static_cast<short>(flags));

  std::vector<char*> argv;
  for (const std::string& argument : options.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, argv[0], &setup.actions, &setup.attributes, argv.data(), environ);
  if (error != 0) return ErrnoStatus(absl::StrCat("cannot run ", options.argv[0]), error);
  // Until it is reaped, which only we can do, the pid is its own.
  UniqueFd pidfd(::pidfd_open(pid, 0));
  if (!pidfd) return ErrnoStatus("pidfd_open");
  return Child(pid, std::move(pidfd));
}

void Child::Signal(int signal) const { ::pidfd_send_signal(pidfd_.get(), signal, nullptr, 0); }

absl::optional<ChildExit> Child::Exit() { return ReapChild(pidfd_.get()); }

absl::optional<ChildExit> ReapChild(int pidfd) {
  siginfo_t info = {};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) != 0)
    return absl::nullopt;
  if (info.si_pid == 0) return absl::nullopt;
  ChildExit exit;
  if (info.si_code == CLD_EXITED) {
    exit.code = info.si_status;
  } else {
    exit.signal = info.si_status;
  }
  return exit;
}

absl::StatusOr<UniqueFd> MakeMemoryFile(absl::string_view content) {
  UniqueFd fd(::memfd_create("zcluster", MFD_CLOEXEC));
  if (!fd) return ErrnoStatus("memfd_create");
  while (!content.empty()) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus("memory file");
    content.remove_prefix(static_cast<size_t>(n));
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::string ReadMemoryFile(int fd) {
  std::string content(kMostOutput, '\0');
  const ssize_t n = ::pread(fd, content.data(), content.size(), 0);
  content.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return content;
}

absl::Status RunProgram(const std::vector<std::string>& argv, absl::string_view input,
                        absl::Duration limit) {
  ZC_ASSIGN_OR_RETURN(UniqueFd in, MakeMemoryFile(input));
  ZC_ASSIGN_OR_RETURN(UniqueFd out, MakeMemoryFile());
  ZC_ASSIGN_OR_RETURN(Child child,
                      Child::Start({.argv = argv, .input = in.get(), .output = out.get()}));
  const absl::Time deadline = absl::Now() + limit;
  absl::optional<ChildExit> exit;
  while (!(exit = child.Exit())) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      child.Signal(SIGKILL);
      ::waitid(P_PIDFD, static_cast<id_t>(child.pidfd().get()), nullptr, WEXITED);
      return absl::DeadlineExceededError(
          absl::StrCat(argv[0], " did not end within ", absl::FormatDuration(limit)));
    }
    pollfd wait = {child.pidfd().get(), POLLIN, 0};
    ::poll(&wait, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
  }
  if (exit->ok()) return absl::OkStatus();
  const std::string said = ReadMemoryFile(out.get());
  return absl::InternalError(absl::StrCat(argv[0], " ended with ", exit->ToString(), ": ",
                                          absl::StripAsciiWhitespace(said)));
}

}  // namespace zcluster
