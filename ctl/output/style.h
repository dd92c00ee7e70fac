// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace zcluster::ctl {

enum class Colour { kPlain, kBold, kGreen, kRed, kGrey, kOrange };

// Whether and how text is coloured. A value.
class Style {
 public:
  explicit Style(bool coloured) : coloured_(coloured) {}

  // Coloured if `fd` is a terminal that can, and neither --no-color (`refused`) nor NO_COLOR
  // (https://no-color.org) says no.
  static Style For(int fd, bool refused);

  // `text` between the escapes of `colour`, or as it is.
  std::string Paint(Colour colour, absl::string_view text) const;

 private:
  bool coloured_;
};

}  // namespace zcluster::ctl
