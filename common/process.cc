// SPDX-License-Identifier: Apache-2.0
#include "common/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster {
namespace {

constexpr size_t kPiece = 64 << 10;
// Most read from one pipe before the loop gets to do something else.
constexpr int kPiecesAtOnce = 4;
// Whoever is killed is gone in less, unless its disk hangs.
constexpr int kReapMs = 100;

struct Pipe {
  UniqueFd ours;
  UniqueFd theirs;
};

absl::StatusOr<Pipe> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus("pipe");
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  // Only our end: a program does not expect its own standard output to be non-blocking.
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return ErrnoStatus("fcntl");
  return pipe;
}

// posix_spawn and not fork: it is safe in a process with gRPC's threads, and does not copy page
// tables.
absl::StatusOr<pid_t> Spawn(const std::vector<std::string>& argv, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawn_file_actions_addchdir_np(&actions, "/");
  // The agent may run at real-time priority and with signals blocked; what it starts must not.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  const sched_param ordinary{};
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
  posix_spawnattr_setschedparam(&attributes, &ordinary);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                            POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSCHEDULER);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::string language = "LANG=C.UTF-8";
  std::array<char*, 3> environment{path.data(), language.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv[0].c_str(), &actions, &attributes, arguments.data(),
                                  environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return ErrnoStatus(absl::StrCat("cannot start ", argv[0]), error);
  return pid;
}

class SpawnedProcess : public Process {
 public:
  SpawnedProcess(Loop& loop, pid_t pid, const Limits& limits, OnOutput on_output, OnEnd on_end)
      : loop_(loop),
        pid_(pid),
        limits_(limits),
        started_(Loop::Now()),
        on_output_(std::move(on_output)),
        on_end_(std::move(on_end)) {}

  ~SpawnedProcess() override {
    if (pid_ <= 0) return;
    if (limits_.grace > absl::ZeroDuration()) {
      Signal(SIGTERM);
      return;
    }
    Signal(SIGKILL);
    // Nobody reaps it later.
    pollfd wait = {pidfd_.get(), POLLIN, 0};
    siginfo_t info{};
    if (::poll(&wait, 1, kReapMs) > 0) {
      ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG);
    }
  }

  absl::Status Watch(UniqueFd out, UniqueFd err) {
    pidfd_.Reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (!pidfd_) return ErrnoStatus("pidfd_open");
    WatchOutput(streams_[0], std::move(out));
    WatchOutput(streams_[1], std::move(err));
    exit_watch_ = loop_.WatchReadable(pidfd_.get(), [this] { Ended(); });
    deadline_ = loop_.After(limits_.timeout, [this] { TimedOut(); });
    return absl::OkStatus();
  }

 private:
  struct Stream {
    Output from;
    UniqueFd fd;
    Loop::Registration watch;
    size_t passed = 0;
    uint64_t cut = 0;
  };

  void WatchOutput(Stream& stream, UniqueFd fd) {
    stream.fd = std::move(fd);
    stream.watch = loop_.WatchReadable(stream.fd.get(), [this, &stream] {
      if (!Read(stream, kPiecesAtOnce)) stream.watch.reset();
    });
  }

  // Passes on up to `pieces` pieces. False: the stream's end.
  bool Read(Stream& stream, int pieces) {
    std::array<char, kPiece> buffer;
    for (; pieces > 0; --pieces) {
      const ssize_t got = ::read(stream.fd.get(), buffer.data(), buffer.size());
      if (got == 0) return false;
      if (got < 0) return errno == EAGAIN || errno == EINTR;
      const size_t size = static_cast<size_t>(got);
      const size_t pass = std::min(size, limits_.output - stream.passed);
      stream.passed += pass;
      stream.cut += size - pass;
      if (pass > 0) on_output_(stream.from, absl::string_view(buffer.data(), pass));
    }
    return true;
  }

  void TimedOut() {
    timed_out_ = true;
    if (limits_.grace <= absl::ZeroDuration()) return Signal(SIGKILL);
    Signal(SIGTERM);
    deadline_ = loop_.After(limits_.grace, [this] { Signal(SIGKILL); });
  }

  // The group's number is ours as long as its leader is not waited for.
  void Signal(int number) { ::kill(-pid_, number); }

  void Ended() {
    // Children that outlive a program that had to be ended.
    if (timed_out_ || limits_.leaves_nothing) Signal(SIGKILL);
    siginfo_t info{};
    ZC_CHECK(::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) == 0);
    pid_ = -1;
    exit_watch_.reset();
    deadline_.reset();
    for (Stream& stream : streams_) {
      stream.watch.reset();
      // All that the program printed is in the pipe by now: at most the pipe's size.
      if (stream.fd) Read(stream, (1 << 20) / kPiece);
      TellCut(stream);
    }
    ProcessEnd outcome;
    outcome.took = Loop::Now() - started_;
    if (timed_out_) {
      outcome.problem = absl::StrCat("did not end within ", absl::FormatDuration(limits_.timeout),
                                     " and was killed");
    } else if (info.si_code == CLD_EXITED) {
      outcome.exit_code = info.si_status;
    } else {
      outcome.problem = absl::StrCat("was killed by signal ", info.si_status, " (",
                                     ::strsignal(info.si_status), ")");
    }
    OnEnd on_end = std::move(on_end_);  // it may destroy us
    on_end(outcome);
  }

  void TellCut(const Stream& stream) {
    if (stream.cut == 0) return;
    on_output_(Output::kStandardError,
               absl::StrCat("zagent: ", stream.cut, " bytes of standard ",
                            stream.from == Output::kStandardOutput ? "output" : "error", " beyond ",
                            limits_.output >> 20, " MiB were cut\n"));
  }

  Loop& loop_;
  pid_t pid_;
  const Limits limits_;
  const absl::Time started_;
  OnOutput on_output_;
  OnEnd on_end_;
  UniqueFd pidfd_;
  std::array<Stream, 2> streams_{Stream{Output::kStandardOutput, {}, {}},
                                 Stream{Output::kStandardError, {}, {}}};
  Loop::Registration exit_watch_;
  Loop::Registration deadline_;
  bool timed_out_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(Loop& loop,
                                                        const std::vector<std::string>& argv,
                                                        const Limits& limits, OnOutput on_output,
                                                        OnEnd on_end) {
  ZC_CHECK(!argv.empty() && !argv[0].empty() && argv[0][0] == '/');
  ZC_ASSIGN_OR_RETURN(Pipe out, MakePipe());
  ZC_ASSIGN_OR_RETURN(Pipe err, MakePipe());
  ZC_ASSIGN_OR_RETURN(pid_t pid, Spawn(argv, out.theirs.get(), err.theirs.get()));
  auto process =
      std::make_unique<SpawnedProcess>(loop, pid, limits, std::move(on_output), std::move(on_end));
  ZC_RETURN_IF_ERROR(process->Watch(std::move(out.ours), std::move(err.ours)));
  return process;
}

}  // namespace zcluster
