// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace zcluster {

// In Debian's Abseil the two are different types that do not convert.
inline absl::string_view ToAbsl(std::string_view s) { return {s.data(), s.size()}; }

inline bool HasControlCharacter(absl::string_view text) {
  for (const char c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return true;
  }
  return false;
}

// `text` with its control characters as \x0A: somebody else's words, in one line of ours.
inline std::string Printable(absl::string_view text) {
  std::string result;
  for (const char c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppendFormat(&result, "\\x%02X", static_cast<unsigned char>(c));
    } else {
      result.push_back(c);
    }
  }
  return result;
}

}  // namespace zcluster
