// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/agent/heartbeat/wire.h"

// Ways to make a process hang that is not stopped (SIGSTOP).
namespace zcluster::heartbeat {

// Freezes processes in a control group of its own: they look as if they slept, and never go on.
// Version 2 lets them be killed; version 1 does not, as a disk or a network filesystem that hangs
// would not.
class Freezer {
 public:
  enum class Version { kTwo, kOne };

  explicit Freezer(Version version) : version_(version) {
    const std::string root = Root(version);
    if (root.empty()) return;
    static std::atomic<int> number{0};
    root_ = root;
    group_ = absl::StrCat(root, "/zt-freezer-", ::getpid(), "-", number++);
    EXPECT_TRUE(std::filesystem::create_directory(group_));
  }
  // Whoever still lives goes on.
  ~Freezer() {
    if (group_.empty()) return;
    Thaw();
    std::vector<std::string> left;
    std::ifstream processes(group_ + "/cgroup.procs");
    for (std::string pid; processes >> pid;) left.push_back(pid);
    for (const std::string& pid : left) Write(root_ + "/cgroup.procs", pid);
    EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return ::rmdir(group_.c_str()) == 0; }));
  }
  Freezer(const Freezer&) = delete;
  Freezer& operator=(const Freezer&) = delete;

  // Whether this machine has such a thing.
  bool exists() const { return !group_.empty(); }

  void Freeze(const std::vector<pid_t>& pids) {
    for (pid_t pid : pids) Write(group_ + "/cgroup.procs", absl::StrCat(pid));
    Write(group_ + File(), version_ == Version::kTwo ? "1" : "FROZEN");
  }
  void Thaw() { Write(group_ + File(), version_ == Version::kTwo ? "0" : "THAWED"); }

 private:
  const char* File() const {
    return version_ == Version::kTwo ? "/cgroup.freeze" : "/freezer.state";
  }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text << std::flush;
  }
  static std::string Root(Version version) {
    std::ifstream mounts("/proc/mounts");
    for (std::string line; std::getline(mounts, line);) {
      const std::vector<std::string> words = absl::StrSplit(line, ' ');
      if (words.size() < 4) continue;
      if (version == Version::kTwo && words[2] == "cgroup2") return words[1];
      if (version == Version::kOne && words[2] == "cgroup" &&
          absl::StrContains(words[3], "freezer")) {
        return words[1];
      }
    }
    return "";
  }

  const Version version_;
  std::string root_;
  std::string group_;
};

// A debugger that holds a process and does no more: no SIGCONT makes it go on. One thread.
class Tracer {
 public:
  explicit Tracer(pid_t pid) : pid_(pid) {
    EXPECT_EQ(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr), 0);
    EXPECT_EQ(::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr), 0);
    EXPECT_EQ(::waitpid(pid, nullptr, __WALL), pid);
  }
  // Lets go of it, or buries it.
  ~Tracer() {
    if (::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr) != 0) ::waitpid(pid_, nullptr, __WALL);
  }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // From now on it does nothing but run in a circle: a jump to itself where it was going to go on
  // after it has waited. False: not on this kind of processor.
  bool Spin() {
#ifdef __x86_64__
    constexpr long kJumpToItself = 0xfeeb;
    user_regs_struct registers = {};
    EXPECT_EQ(::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers), 0);
    auto* next = reinterpret_cast<void*>(registers.rip);
    errno = 0;
    const long code = ::ptrace(PTRACE_PEEKTEXT, pid_, next, nullptr);
    EXPECT_EQ(errno, 0);
    EXPECT_EQ(::ptrace(PTRACE_POKETEXT, pid_, next,
                       reinterpret_cast<void*>((code & ~0xffffL) | kJumpToItself)),
              0);
    return true;
#else
    return false;
#endif
  }

 private:
  const pid_t pid_;
};

}  // namespace zcluster::heartbeat
