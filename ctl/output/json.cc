// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/json.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "ctl/output/utf8.h"

namespace zcluster::ctl {
namespace {

void AppendEscaped(char32_t value, std::string& out) {
  switch (value) {
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    // All that IsControl knows lies within four digits.
    default:
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<uint32_t>(value));
  }
}

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = FirstRune(text);
    if (!rune.valid) {
      out += "\xef\xbf\xbd";
    } else if (IsControl(rune.value)) {
      AppendEscaped(rune.value, out);
    } else {
      if (rune.value == '"' || rune.value == '\\') out += '\\';
      out.append(text.data(), rune.size);
    }
    text.remove_prefix(rune.size);
  }
  out += '"';
  return out;
}

// Three decimals at most, none that is a trailing zero: 12, 0.5, 3.125.
std::string Decimal(double value) {
  std::string text = absl::StrFormat("%.3f", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

bool IsFinite(absl::Duration value) {
  return value != absl::InfiniteDuration() && value != -absl::InfiniteDuration();
}

}  // namespace

Json Json::Null() { return Json("null"); }
Json Json::Bool(bool value) { return Json(value ? "true" : "false"); }
Json Json::String(absl::string_view value) { return Json(Quoted(value)); }
Json Json::Number(uint64_t value) { return Json(absl::StrCat(value)); }
Json Json::Integer(int64_t value) { return Json(absl::StrCat(value)); }

Json Json::Milliseconds(absl::Duration value) {
  return IsFinite(value) ? Json(Decimal(absl::ToDoubleMilliseconds(value))) : Null();
}

Json Json::Seconds(absl::Duration value) {
  return IsFinite(value) ? Json(Decimal(absl::ToDoubleSeconds(value))) : Null();
}

Json Json::List(const std::vector<Json>& values) {
  return Json(absl::StrCat(
      "[",
      absl::StrJoin(values, ", ",
                    [](std::string* out, const Json& value) { out->append(value.text()); }),
      "]"));
}

Json Json::Strings(const std::vector<std::string>& values) {
  std::vector<Json> list;
  for (const std::string& value : values) list.push_back(String(value));
  return List(list);
}

Json Json::Object(const Members& members) {
  return Json(absl::StrCat("{",
                           absl::StrJoin(members, ", ",
                                         [](std::string* out, const auto& member) {
                                           absl::StrAppend(out, Quoted(member.first), ": ",
                                                           member.second.text());
                                         }),
                           "}"));
}

}  // namespace zcluster::ctl
