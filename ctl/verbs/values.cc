// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/values.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

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

absl::StatusOr<absl::Time> MomentOf(const Context& context, const std::string& option) {
  const std::string text = context.Value(option);
  absl::Duration ago;
  if (absl::ParseDuration(text, &ago) && ago > absl::ZeroDuration() &&
      ago != absl::InfiniteDuration()) {
    return absl::Now() - ago;
  }
  absl::Time time;
  std::string error;
  for (const char* format : {absl::RFC3339_full, "%Y-%m-%d %H:%M:%E*S UTC", "%Y-%m-%d %H:%M:%E*S",
                             "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    if (absl::ParseTime(format, text, &time, &error)) return time;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": '", text,
                   "' is neither a time (2026-02-01 12:00, 2026-02-01T12:00:00+01:00; UTC unless "
                   "it says otherwise) nor how long ago (30m, 24h)"));
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
