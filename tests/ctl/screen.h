// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/unique_fd.h"

namespace zcluster::ctl {

// The program zctl on a terminal of its own, and somebody who looks at it and types.
class Screen {
 public:
  explicit Screen(std::vector<std::string> words,
                  const std::map<std::string, std::string>& environment = {}) {
    words.insert(words.begin(), ZC_ZCTL);
    std::vector<std::string> variables = {"PATH=/usr/bin:/bin", "TERM=dumb", "HOME=/nonexistent"};
    for (const auto& [name, value] : environment) {
      variables.push_back(absl::StrCat(name, "=", value));
    }
    // All that needs memory is done before the fork: this process has threads.
    std::vector<char*> argv, envp;
    for (std::string& word : words) argv.push_back(word.data());
    for (std::string& variable : variables) envp.push_back(variable.data());
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    int master = -1;
    pid_ = forkpty(&master, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      execve(ZC_ZCTL, argv.data(), envp.data());
      _exit(127);
    }
    master_.Reset(master);
    // Held open, so that the kernel does not reset the terminal when the program has left it.
    terminal_.Reset(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC));
    process_.Reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    EXPECT_TRUE(terminal_ && process_);
  }
  ~Screen() {
    if (ended_) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Whether `text` appears after what was waited for before. False, with all that was seen, once it
  // cannot any more.
  testing::AssertionResult Shows(const std::string& text) {
    for (;;) {
      const size_t at = seen_.find(text, from_);
      if (at != std::string::npos) {
        from_ = at + text.size();
        return testing::AssertionSuccess();
      }
      if (!ReadMore()) {
        return testing::AssertionFailure() << "no '" << text << "' in:\n" << seen_.substr(from_);
      }
    }
  }

  void Type(const std::string& text) {
    EXPECT_EQ(write(master_.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  // Whether what is typed is shown; at its end, once it has ended.
  bool Echoes() const {
    if (!terminal_) return echoed_at_end_;
    termios settings{};
    EXPECT_EQ(tcgetattr(master_.get(), &settings), 0);
    return (settings.c_lflag & ECHO) != 0;
  }

  // The exit code; 128 and the signal's number if a signal ended it.
  int Ends() {
    while (ReadMore()) {
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    ended_ = true;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  pid_t pid() const { return pid_; }
  // All that was on the screen, lines as "\r\n".
  const std::string& seen() const { return seen_; }

 private:
  // False once the program has ended and all was read, or if nothing comes for so long that only a
  // broken program would be silent.
  bool ReadMore() {
    pollfd waits[2] = {{master_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};
    if (poll(waits, 2, 20000) <= 0) return false;
    if (waits[1].revents != 0 && terminal_) {
      echoed_at_end_ = Echoes();
      terminal_.Reset();  // only then does a read end, after all that was written
    }
    char buffer[4096];
    const ssize_t got = read(master_.get(), buffer, sizeof(buffer));  // EIO: that was all
    if (got <= 0) return false;
    seen_.append(buffer, static_cast<size_t>(got));
    return true;
  }

  pid_t pid_ = -1;
  UniqueFd master_;
  UniqueFd terminal_;
  UniqueFd process_;
  bool ended_ = false;
  bool echoed_at_end_ = false;
  std::string seen_;
  size_t from_ = 0;
};

}  // namespace zcluster::ctl
