// SPDX-License-Identifier: Apache-2.0
#include "controller/core/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/strings.h"

namespace zcluster::controller {
namespace {

constexpr size_t kMaxName = 63;
// What is quoted of a bad name: enough to know it again.
constexpr size_t kMaxQuoted = 80;

bool IsAlnum(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }
bool IsAlpha(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }
bool IsUpper(char c) { return absl::ascii_isupper(static_cast<unsigned char>(c)); }

bool AllOf(absl::string_view text, absl::string_view extra) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return IsAlnum(c) || absl::StrContains(extra, c); });
}

absl::Status Invalid(absl::string_view value, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("is '", Printable(value.substr(0, kMaxQuoted)), "'; expected ", expected));
}

}  // namespace

absl::Status CheckPairName(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("is missing");
  if (name.size() > kMaxName || !IsAlnum(name.front()) || !AllOf(name, "-.") ||
      std::any_of(name.begin(), name.end(), IsUpper)) {
    return Invalid(name,
                   "lower-case letters, digits, '-' and '.', a letter or digit first, at most 63");
  }
  return absl::OkStatus();
}

absl::Status CheckNodeName(absl::string_view name) {
  if (name.empty()) return absl::InvalidArgumentError("is missing");
  if (name.size() > kMaxName || !IsAlnum(name.front()) || !AllOf(name, "-.")) {
    return Invalid(name, "a host name: letters, digits, '-' and '.', at most 63");
  }
  return absl::OkStatus();
}

absl::Status CheckLabel(absl::string_view key, absl::string_view value) {
  constexpr absl::string_view kMarks = "-_./";
  if (key.empty()) return absl::InvalidArgumentError("a label's key is missing");
  if (key.size() > kMaxName || !IsAlpha(key.front()) || !AllOf(key, kMarks)) {
    return Annotate(
        Invalid(key, "a letter, then letters, digits, '-', '_', '.' and '/', at most 63"),
        "a label's key");
  }
  if (value.size() > kMaxName || !AllOf(value, kMarks)) {
    return Annotate(Invalid(value, "letters, digits, '-', '_', '.' and '/', at most 63"),
                    absl::StrCat("label ", key));
  }
  return absl::OkStatus();
}

absl::Status CheckLabels(const std::map<std::string, std::string>& labels) {
  if (labels.size() > kMaxLabels) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", labels.size(), " labels; at most ", kMaxLabels, " are kept"));
  }
  for (const auto& [key, value] : labels) ZC_RETURN_IF_ERROR(CheckLabel(key, value));
  return absl::OkStatus();
}

}  // namespace zcluster::controller
