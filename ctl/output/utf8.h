// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

// Text that came from elsewhere: it may hold anything.
namespace zcluster::ctl {

// One character of a text.
struct Rune {
  char32_t value = 0;  // U+FFFD if the bytes are not UTF-8
  size_t size = 1;     // bytes taken, at least 1
  bool valid = false;
};

// The first character of `text`, which must not be empty. Overlong forms, surrogates and what lies
// beyond U+10FFFF are not valid (RFC 3629, 3).
Rune FirstRune(absl::string_view text);

// Whether a terminal, or the eye, may be misled by it: C0, DEL and C1 controls, and what turns the
// direction of writing.
bool IsControl(char32_t value);

// `text` fit for a terminal: controls (a newline too) and what is not UTF-8 become U+FFFD, one for
// each run of them. A node's message or name thus can neither move the cursor nor look like
// something else.
std::string Sanitise(absl::string_view text);

// The same for text of several lines: newlines and tabs stay.
std::string SanitiseLines(absl::string_view text);

// Columns that `text` takes on a terminal, if none of its characters is wide or combining.
size_t Width(absl::string_view text);

}  // namespace zcluster::ctl
