// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/utf8.h"

namespace zcluster::ctl {
namespace {

constexpr char32_t kReplacement = 0xfffd;
constexpr absl::string_view kReplacementText = "\xef\xbf\xbd";

// What the first byte says: how many bytes, and its share of the value. 0 bytes: it cannot come
// first.
struct Lead {
  size_t size;
  char32_t bits;
  char32_t least;  // below it the form is overlong
};

Lead ReadLead(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if ((byte & 0xe0) == 0xc0) return {2, byte & 0x1fu, 0x80};
  if ((byte & 0xf0) == 0xe0) return {3, byte & 0x0fu, 0x800};
  if ((byte & 0xf8) == 0xf0) return {4, byte & 0x07u, 0x10000};
  return {0, 0, 0};
}

std::string Clean(absl::string_view text, absl::string_view allowed) {
  std::string clean;
  clean.reserve(text.size());
  bool replaced = false;
  while (!text.empty()) {
    const Rune rune = FirstRune(text);
    const bool kept = allowed.find(text[0]) != absl::string_view::npos;
    if (kept || (rune.valid && !IsControl(rune.value))) {
      clean.append(text.data(), rune.size);
      replaced = false;
    } else if (!replaced) {
      clean.append(kReplacementText.data(), kReplacementText.size());
      replaced = true;
    }
    text.remove_prefix(rune.size);
  }
  return clean;
}

}  // namespace

Rune FirstRune(absl::string_view text) {
  const Rune bad{kReplacement, 1, false};
  const Lead lead = ReadLead(static_cast<unsigned char>(text[0]));
  if (lead.size == 0 || text.size() < lead.size) return bad;
  char32_t value = lead.bits;
  for (size_t i = 1; i < lead.size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return bad;
    value = value << 6 | (byte & 0x3fu);
  }
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < lead.least || value > 0x10ffff || surrogate) return bad;
  return {value, lead.size, true};
}

bool IsControl(char32_t value) {
  if (value < 0x20 || (value >= 0x7f && value <= 0x9f)) return true;
  return value == 0x200e || value == 0x200f ||    // direction marks
         (value >= 0x2028 && value <= 0x202e) ||  // separators, embeddings, overrides
         (value >= 0x2066 && value <= 0x2069);    // isolates
}

std::string Sanitise(absl::string_view text) { return Clean(text, ""); }

std::string SanitiseLines(absl::string_view text) { return Clean(text, "\n\t"); }

size_t Width(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    text.remove_prefix(FirstRune(text).size);
    ++width;
  }
  return width;
}

}  // namespace zcluster::ctl
