// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/style.h"

#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace zcluster::ctl {
namespace {

absl::string_view Escape(Colour colour, bool colours256) {
  switch (colour) {
    case Colour::kPlain:
      return "";
    case Colour::kBold:
      return "\x1b[1m";
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kGrey:
      return "\x1b[90m";
    // The eight colours have no orange; yellow is the nearest.
    case Colour::kOrange:
      return colours256 ? "\x1b[38;5;208m" : "\x1b[33m";
  }
  return "";
}

absl::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Style Style::For(int fd, bool refused) {
  const absl::string_view term = Environment("TERM");
  return Style(!refused && Environment("NO_COLOR").empty() && !term.empty() && term != "dumb" &&
               isatty(fd) == 1);
}

std::string Style::Paint(Colour colour, absl::string_view text) const {
  const bool colours256 = Environment("TERM").find("256color") != absl::string_view::npos ||
                          !Environment("COLORTERM").empty();
  const absl::string_view escape = coloured_ ? Escape(colour, colours256) : "";
  if (escape.empty() || text.empty()) return std::string(text);
  return absl::StrCat(escape, text, "\x1b[0m");
}

}  // namespace zcluster::ctl
