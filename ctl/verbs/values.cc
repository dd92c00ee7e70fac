// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/values.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace zcluster::ctl {

absl::StatusOr<absl::Duration> DurationOf(const Context& context, const std::string& option) {
  const std::string text = context.Value(option);
  absl::Duration value;
  if (!absl::ParseDuration(text, &value) || value <= absl::ZeroDuration() ||
      value == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        option, ": '", text, "' is not a time; give a number and its unit (200ms, 1s, 15m)"));
  }
  return value;
}

absl::StatusOr<uint32_t> NumberOf(const Context& context, const std::string& option, uint32_t least,
                                  uint32_t most) {
  const std::string text = context.Value(option);
  uint32_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < least || value > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": '", text, "' is not a whole number from ", least, " to ", most));
  }
  return value;
}

}  // namespace zcluster::ctl
