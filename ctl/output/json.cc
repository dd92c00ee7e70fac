// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/json.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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

// `text` with U+FFFD for each byte that is not UTF-8.
std::string Utf8(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Rune rune = FirstRune(text);
    if (rune.valid) {
      out.append(text.data(), rune.size);
    } else {
      out += "\xef\xbf\xbd";
    }
    text.remove_prefix(rune.size);
  }
  return out;
}

}  // namespace

std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = FirstRune(text);
    if (IsControl(rune.value)) {
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

Json::Json(Kind kind, std::string scalar, Members members)
    : kind_(kind), scalar_(std::move(scalar)), members_(std::move(members)) {}

Json Json::Null() { return Json(Kind::kScalar, "null", {}); }
Json Json::Bool(bool value) { return Json(Kind::kScalar, value ? "true" : "false", {}); }
Json Json::String(absl::string_view value) { return Json(Kind::kString, Utf8(value), {}); }
Json Json::Number(uint64_t value) { return Json(Kind::kScalar, absl::StrCat(value), {}); }
Json Json::Integer(int64_t value) { return Json(Kind::kScalar, absl::StrCat(value), {}); }

Json Json::Milliseconds(absl::Duration value) {
  if (!IsFinite(value)) return Null();
  return Json(Kind::kScalar, Decimal(absl::ToDoubleMilliseconds(value)), {});
}

Json Json::Seconds(absl::Duration value) {
  if (!IsFinite(value)) return Null();
  return Json(Kind::kScalar, Decimal(absl::ToDoubleSeconds(value)), {});
}

Json Json::Time(absl::Time value) {
  if (value == absl::InfiniteFuture() || value == absl::InfinitePast()) return Null();
  return String(absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", value, absl::UTCTimeZone()));
}

Json Json::List(std::vector<Json> values) {
  Members members;
  members.reserve(values.size());
  for (Json& value : values) members.emplace_back("", std::move(value));
  return Json(Kind::kList, "", std::move(members));
}

Json Json::Strings(const std::vector<std::string>& values) {
  std::vector<Json> list;
  list.reserve(values.size());
  for (const std::string& value : values) list.push_back(String(value));
  return List(std::move(list));
}

Json Json::Object(Members members) {
  for (auto& member : members) member.first = Utf8(member.first);
  return Json(Kind::kObject, "", std::move(members));
}

std::string Json::text() const {
  std::string out;
  AppendTo(out);
  return out;
}

void Json::AppendTo(std::string& out) const {
  switch (kind_) {
    case Kind::kScalar:
      out += scalar_;
      return;
    case Kind::kString:
      out += Quoted(scalar_);
      return;
    case Kind::kList:
    case Kind::kObject:
      break;
  }
  const bool list = kind_ == Kind::kList;
  out += list ? '[' : '{';
  bool first = true;
  for (const auto& [name, value] : members_) {
    if (!first) out += ", ";
    first = false;
    if (!list) absl::StrAppend(&out, Quoted(name), ": ");
    value.AppendTo(out);
  }
  out += list ? ']' : '}';
}

}  // namespace zcluster::ctl
