// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/pki.h"

namespace zcluster::ctl {

// The longest line that is taken from people and pipes.
inline constexpr size_t kMaxLine = 4096;

// A password, a token, a key. Kept in one place, which is overwritten when it goes: its buffer
// neither grows (which would leave a copy behind) nor is short enough for std::string to copy it
// when it moves.
class Secret {
 public:
  Secret() { text_.reserve(kMaxLine); }
  ~Secret() { Wipe(); }
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) {}
  Secret& operator=(Secret&& other) noexcept {
    Wipe();
    text_ = std::move(other.text_);
    return *this;
  }

  // Within kMaxLine; false, and nothing is done, beyond.
  bool Append(char c) {
    if (text_.size() == kMaxLine) return false;
    text_.push_back(c);
    return true;
  }
  void Wipe() { pki::Wipe(text_); }

  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }
  bool operator==(const Secret& other) const { return text_ == other.text_; }

 private:
  std::string text_;
};

}  // namespace zcluster::ctl
