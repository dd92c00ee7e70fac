// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/yaml.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ctl/output/utf8.h"

namespace zcluster::ctl {
namespace {

bool HasControls(absl::string_view text, bool lines_allowed) {
  while (!text.empty()) {
    const Rune rune = FirstRune(text);
    const bool line_or_tab = rune.value == '\n' || rune.value == '\t';
    // U+FEFF would be taken for a byte order mark.
    if (rune.value == 0xfeff || (IsControl(rune.value) && !(lines_allowed && line_or_tab))) {
      return true;
    }
    text.remove_prefix(rune.size);
  }
  return false;
}

// Words that YAML 1.1 or 1.2 read as null, a boolean, or a merge.
bool IsReserved(absl::string_view text) {
  const std::string word = absl::AsciiStrToLower(text);
  for (const char* reserved : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}) {
    if (word == reserved) return true;
  }
  return false;
}

bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

// Whether a text that begins with a digit cannot be a number, in base 2 to 60, nor a time: it has a
// slash (192.0.2.10/24), a letter that none of them has (100ms), or is digits with two dots or more
// between them (192.0.2.10). A colon makes a number of base 60 of too much.
bool IsNoNumber(absl::string_view text) {
  if (absl::StrContains(text, ":")) return false;
  if (absl::StrContains(text, "/")) return true;
  const bool telling = std::any_of(text.begin(), text.end(), [](char c) {
    return IsLetter(c) &&
           !absl::StrContains("abcdefoxtz",
                              std::string(1, absl::ascii_tolower(static_cast<unsigned char>(c))));
  });
  if (telling) return true;
  const bool dotted =
      std::all_of(text.begin(), text.end(), [](char c) { return IsDigit(c) || c == '.'; });
  return dotted && std::count(text.begin(), text.end(), '.') >= 2 && IsDigit(text.back());
}

// Whether `text` means itself without quotes, as a key or a value in block style.
bool IsPlain(absl::string_view text) {
  if (text.empty() || text.back() == ' ' || text.back() == ':') return false;
  if (absl::StrContains(text, ": ") || absl::StrContains(text, " #")) return false;
  if (IsReserved(text) || HasControls(text, /*lines_allowed=*/false)) return false;
  const char first = text[0];
  if (IsDigit(first)) return IsNoNumber(text);
  return IsLetter(first) || first == '/' || first == '_' || (first & '\x80') != 0;
}

// Whether `text` can stand as it is in a literal block.
bool IsBlock(absl::string_view text) {
  return absl::StrContains(text, "\n") && text[0] != '\n' && text[0] != ' ' && text[0] != '\t' &&
         !absl::EndsWith(text, "\n\n") && !HasControls(text, /*lines_allowed=*/true);
}

std::string Word(absl::string_view text) {
  return IsPlain(text) ? std::string(text) : Quoted(text);
}

// The lines of a literal block, after "|" or "|-".
std::string Block(absl::string_view text, size_t indent) {
  const bool ends = absl::ConsumeSuffix(&text, "\n");
  std::string out = ends ? "|\n" : "|-\n";
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!line.empty()) absl::StrAppend(&out, std::string(indent, ' '), line);
    out += '\n';
  }
  return out;
}

bool IsNested(const Json& value) {
  return (value.kind() == Json::Kind::kList || value.kind() == Json::Kind::kObject) &&
         !value.members().empty();
}

// What stands on one line, or begins on it; with the newline.
std::string Inline(const Json& value, size_t indent) {
  switch (value.kind()) {
    case Json::Kind::kScalar:
      return absl::StrCat(value.scalar(), "\n");
    case Json::Kind::kString:
      if (IsBlock(value.scalar())) return Block(value.scalar(), indent);
      return absl::StrCat(Word(value.scalar()), "\n");
    case Json::Kind::kList:
      return "[]\n";
    case Json::Kind::kObject:
      return "{}\n";
  }
  return "";
}

// The lines of a list or an object, each after `indent` spaces, but for the first: whoever calls
// has written those, or the dash in their place.
std::string Nested(const Json& value, size_t indent) {
  std::string out;
  for (const auto& [name, child] : value.members()) {
    if (!out.empty()) out.append(indent, ' ');
    if (value.kind() == Json::Kind::kList) {
      absl::StrAppend(&out, "- ",
                      IsNested(child) ? Nested(child, indent + 2) : Inline(child, indent + 2));
      continue;
    }
    absl::StrAppend(&out, Word(name), ":");
    if (IsNested(child)) {
      absl::StrAppend(&out, "\n", std::string(indent + 2, ' '), Nested(child, indent + 2));
    } else {
      absl::StrAppend(&out, " ", Inline(child, indent + 2));
    }
  }
  return out;
}

}  // namespace

std::string Yaml(const Json& value) {
  return IsNested(value) ? Nested(value, 0) : Inline(value, 2);
}

}  // namespace zcluster::ctl
