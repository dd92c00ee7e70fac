// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace zcluster::ctl {

// A value as JSON knows them (RFC 8259), made by its kind: a tree. Always well-formed, always
// UTF-8, whatever it is made from. yaml.h renders the same tree as YAML.
class Json {
 public:
  using Members = std::vector<std::pair<std::string, Json>>;
  enum class Kind { kScalar, kString, kList, kObject };

  static Json Null();
  static Json Bool(bool value);
  // Bytes that are not UTF-8 become U+FFFD; what may mislead a terminal is written as \uXXXX.
  static Json String(absl::string_view value);
  static Json Number(uint64_t value);
  static Json Integer(int64_t value);
  // With at most three decimals; infinite: null.
  static Json Milliseconds(absl::Duration value);
  static Json Seconds(absl::Duration value);
  // "2026-02-01T12:00:00Z", to the second; infinite: null.
  static Json Time(absl::Time value);
  static Json List(std::vector<Json> values);
  static Json Strings(const std::vector<std::string>& values);
  // In the order given. Names must differ.
  static Json Object(Members members);

  Kind kind() const { return kind_; }
  // Of a kScalar: null, true, a number, as JSON and YAML both write it. Of a kString: its value.
  const std::string& scalar() const { return scalar_; }
  // Of a kList: its values, without names. Of a kObject: its members.
  const Members& members() const { return members_; }

  // In one line, without a newline: `{"a": 1, "b": [true, null]}`.
  std::string text() const;

 private:
  Json(Kind kind, std::string scalar, Members members);
  void AppendTo(std::string& out) const;

  Kind kind_;
  std::string scalar_;
  Members members_;
};

// `text`, which must be UTF-8, between double quotes, with the escapes that JSON and YAML share.
std::string Quoted(absl::string_view text);

}  // namespace zcluster::ctl
