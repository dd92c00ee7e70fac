// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace zcluster::ctl {

// A JSON value (RFC 8259), made by its kind; immutable. Always well-formed, always UTF-8, whatever
// it is made from.
class Json {
 public:
  using Members = std::vector<std::pair<std::string, Json>>;

  static Json Null();
  static Json Bool(bool value);
  // Bytes that are not UTF-8 become U+FFFD; what may mislead a terminal is written as \uXXXX.
  static Json String(absl::string_view value);
  static Json Number(uint64_t value);
  static Json Integer(int64_t value);
  // With at most three decimals; infinite: null.
  static Json Milliseconds(absl::Duration value);
  static Json Seconds(absl::Duration value);
  static Json List(const std::vector<Json>& values);
  static Json Strings(const std::vector<std::string>& values);
  // In the order given. Names must differ.
  static Json Object(const Members& members);

  // In one line, without a newline: `{"a": 1, "b": [true, null]}`.
  const std::string& text() const { return text_; }

 private:
  explicit Json(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace zcluster::ctl
