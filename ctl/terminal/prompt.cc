// SPDX-License-Identifier: Apache-2.0
#include "ctl/terminal/prompt.h"

#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/status.h"
#include "ctl/terminal/interrupts.h"

namespace zcluster::ctl {
namespace {

// A terminal that shows nothing of what is typed, until it goes.
class Silence {
 public:
  explicit Silence(int fd) : fd_(fd) {
    if (tcgetattr(fd, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    // What was typed before the question was seen is not the answer to it.
    changed_ = tcsetattr(fd, TCSAFLUSH, &silent) == 0;
  }
  ~Silence() {
    if (changed_) tcsetattr(fd_, TCSANOW, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  bool kept() const { return changed_; }

 private:
  int fd_;
  termios before_{};
  bool changed_ = false;
};

// One character; nothing at the end of the input, or when a signal came first.
absl::StatusOr<absl::optional<char>> ReadChar(int fd, Interrupts* interrupts) {
  for (;;) {
    if (interrupts != nullptr) {
      pollfd waits[2] = {{fd, POLLIN, 0}, {interrupts->fd(), POLLIN, 0}};
      if (poll(waits, 2, -1) < 0 && errno != EINTR) return ErrnoStatus("standard input");
      if (waits[1].revents != 0) return absl::optional<char>();
      if (waits[0].revents == 0) continue;
    }
    char c = 0;
    const ssize_t got = read(fd, &c, 1);
    if (got == 1) return absl::optional<char>(c);
    if (got == 0) return absl::optional<char>();
    if (errno == EIO) return absl::optional<char>();  // the terminal has gone
    if (errno != EINTR) return ErrnoStatus("standard input");
  }
}

// A line, read to its newline and not a byte further: what comes after it is for somebody else.
absl::StatusOr<Secret> ReadTo(int fd, Interrupts* interrupts) {
  Secret line;
  for (bool empty = true;; empty = false) {
    ZC_ASSIGN_OR_RETURN(const absl::optional<char> c, ReadChar(fd, interrupts));
    if (!c && empty) return absl::OutOfRangeError("standard input has ended");
    if (!c || *c == '\n') return line;
    if (*c == '\0' || !line.Append(*c)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "standard input: the line has a zero byte or more than ", kMaxLine, " characters"));
    }
  }
}

}  // namespace

bool Prompt::IsTerminal() const { return isatty(in_fd_) == 1; }

absl::StatusOr<std::string> Prompt::Line(absl::string_view question) {
  if (IsTerminal()) screen_ << question << std::flush;
  ZC_ASSIGN_OR_RETURN(const Secret line, ReadTo(in_fd_, nullptr));
  return line.text();
}

absl::StatusOr<Secret> Prompt::Hidden(absl::string_view question) {
  if (!IsTerminal()) return ReadTo(in_fd_, nullptr);
  for (;;) {
    int signal = 0;
    absl::StatusOr<Secret> line;
    {
      Interrupts interrupts({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP});
      const Silence silence(in_fd_);
      if (!silence.kept()) return absl::InternalError("the terminal cannot be made silent");
      screen_ << question << std::flush;
      line = ReadTo(in_fd_, &interrupts);
      screen_ << std::endl;  // the one that was typed was not shown
      signal = interrupts.Take();
      if (signal != 0 && line.ok()) line->Wipe();
    }
    if (signal == 0) return line;
    // The terminal is as it was, and the signal does what it always does: mostly that ends us.
    raise(signal);
    if (signal != SIGTSTP) return absl::CancelledError("interrupted");
  }
}

bool Prompt::Confirm(absl::string_view question) {
  const auto answer = Line(absl::StrCat(question, " [y/N] "));
  const std::string word =
      answer.ok() ? absl::AsciiStrToLower(absl::StripAsciiWhitespace(*answer)) : "";
  if (!answer.ok() && IsTerminal()) screen_ << std::endl;
  return word == "y" || word == "yes";
}

}  // namespace zcluster::ctl
