// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "ctl/output/utf8.h"

namespace zcluster::ctl {
namespace {

using Lines = std::vector<absl::string_view>;

constexpr size_t kContext = 3;
// Cells of the table that finds the longest common part: 16 MiB of it, for some 2,000 lines that
// changed. A configuration of all that a pair may hold is of that size.
constexpr size_t kMaxCells = size_t{4} << 20;

struct Line {
  char kind;  // ' ', '-', '+'
  absl::string_view text;
};

Lines Split(absl::string_view text) {
  absl::ConsumeSuffix(&text, "\n");
  if (text.empty()) return {};
  return absl::StrSplit(text, '\n');
}

// How the middle parts, which differ at both ends, become each other.
void AppendMiddle(const Lines& a, const Lines& b, std::vector<Line>& out) {
  if (a.size() * b.size() > kMaxCells) {
    for (absl::string_view line : a) out.push_back({'-', line});
    for (absl::string_view line : b) out.push_back({'+', line});
    return;
  }
  // length(i, j): of the longest common subsequence of a[i..] and b[j..].
  const size_t width = b.size() + 1;
  std::vector<uint32_t> table((a.size() + 1) * width);
  const auto length = [&](size_t i, size_t j) -> uint32_t& { return table[i * width + j]; };
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      length(i, j) =
          a[i] == b[j] ? length(i + 1, j + 1) + 1 : std::max(length(i + 1, j), length(i, j + 1));
    }
  }
  size_t i = 0, j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      out.push_back({' ', a[i]});
      ++i, ++j;
    } else if (i < a.size() && (j == b.size() || length(i + 1, j) >= length(i, j + 1))) {
      out.push_back({'-', a[i++]});
    } else {
      out.push_back({'+', b[j++]});
    }
  }
}

std::vector<Line> AllLines(const Lines& a, const Lines& b) {
  const size_t shorter = std::min(a.size(), b.size());
  size_t head = 0, tail = 0;
  while (head < shorter && a[head] == b[head]) ++head;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::vector<Line> out;
  const auto cut = [](size_t n) { return static_cast<std::ptrdiff_t>(n); };
  for (size_t i = 0; i < head; ++i) out.push_back({' ', a[i]});
  AppendMiddle(Lines(a.begin() + cut(head), a.end() - cut(tail)),
               Lines(b.begin() + cut(head), b.end() - cut(tail)), out);
  for (size_t i = a.size() - tail; i < a.size(); ++i) out.push_back({' ', a[i]});
  return out;
}

// "3,2": where a hunk begins in one of the texts, and how many of its lines it has.
std::string Span(size_t lines_before, size_t count) {
  return absl::StrCat(count == 0 ? lines_before : lines_before + 1, ",", count);
}

std::string Hunk(const std::vector<Line>& lines, size_t from, size_t to, const Style& style) {
  const auto count = [&lines](size_t begin, size_t end, char not_kind) {
    size_t n = 0;
    for (size_t i = begin; i < end; ++i) n += lines[i].kind != not_kind ? 1U : 0U;
    return n;
  };
  std::string out = absl::StrCat(
      style.Paint(Colour::kGrey,
                  absl::StrCat("@@ -", Span(count(0, from, '+'), count(from, to, '+')), " +",
                               Span(count(0, from, '-'), count(from, to, '-')), " @@")),
      "\n");
  for (size_t i = from; i < to; ++i) {
    const Colour colour = lines[i].kind == '-'   ? Colour::kRed
                          : lines[i].kind == '+' ? Colour::kGreen
                                                 : Colour::kPlain;
    const std::string text =
        absl::StrCat(std::string(1, lines[i].kind), SanitiseLines(lines[i].text));
    absl::StrAppend(&out, style.Paint(colour, text), "\n");
  }
  return out;
}

}  // namespace

std::string Diff(absl::string_view before, absl::string_view after, const Style& style) {
  const std::vector<Line> lines = AllLines(Split(before), Split(after));
  std::string out;
  for (size_t i = 0; i < lines.size();) {
    if (lines[i].kind == ' ') {
      ++i;
      continue;
    }
    // A hunk goes on while the next change is so near that their surroundings would meet.
    size_t last = i;
    for (size_t j = i; j < lines.size() && j <= last + 2 * kContext + 1; ++j) {
      if (lines[j].kind != ' ') last = j;
    }
    const size_t from = i > kContext ? i - kContext : 0;
    const size_t to = std::min(lines.size(), last + 1 + kContext);
    absl::StrAppend(&out, Hunk(lines, from, to, style));
    i = to;
  }
  return out;
}

}  // namespace zcluster::ctl
