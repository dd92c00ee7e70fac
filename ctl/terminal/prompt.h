// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ctl/terminal/secret.h"

namespace zcluster::ctl {

// Questions to whoever sits at the terminal, or lines from whatever standard input is. Questions
// are shown only on a terminal. For the main thread.
class Prompt {
 public:
  // Reads from `in_fd`, shows on `screen`.
  Prompt(int in_fd, std::ostream& screen) : in_fd_(in_fd), screen_(screen) {}

  // Somebody sits there.
  bool IsTerminal() const;

  // One line, without its newline. OUT_OF_RANGE if the input is at its end; INVALID_ARGUMENT if the
  // line is too long. Never reads beyond the line.
  absl::StatusOr<std::string> Line(absl::string_view question);

  // The same without echo. A signal that ends or stops us in between finds the terminal as it was
  // before.
  absl::StatusOr<Secret> Hidden(absl::string_view question);

  // "`question` [y/N] ": whether the answer was y or yes. No at the end of the input.
  bool Confirm(absl::string_view question);

 private:
  int in_fd_;
  std::ostream& screen_;
};

}  // namespace zcluster::ctl
