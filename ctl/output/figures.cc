// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/figures.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace zcluster::ctl {

std::string Count(uint64_t value) {
  std::string digits = absl::StrCat(value);
  for (size_t left = digits.size(); left > 3;) {
    left -= 3;
    digits.insert(left, 1, ',');
  }
  return digits;
}

std::string CountOf(uint64_t value, const std::string& noun) {
  return absl::StrCat(Count(value), " ", noun, value == 1 ? "" : "s");
}

std::string Short(absl::Duration value) {
  if (value < absl::Milliseconds(10)) {
    return absl::StrFormat("%.1f ms", absl::ToDoubleMilliseconds(value));
  }
  if (value < absl::Seconds(1)) {
    return absl::StrFormat("%d ms", absl::ToInt64Milliseconds(value));
  }
  if (value < absl::Seconds(10)) return absl::StrFormat("%.1f s", absl::ToDoubleSeconds(value));
  const int64_t seconds = absl::ToInt64Seconds(value);
  if (seconds < 60) return absl::StrFormat("%d s", seconds);
  if (seconds < 3600) return absl::StrFormat("%dm%02ds", seconds / 60, seconds % 60);
  if (seconds < 86400) return absl::StrFormat("%dh%02dm", seconds / 3600, seconds / 60 % 60);
  return absl::StrFormat("%dd%dh", seconds / 86400, seconds / 3600 % 24);
}

std::string ShortDigest(const std::string& digest) {
  return digest.empty() ? "-" : digest.substr(0, 8);
}

}  // namespace zcluster::ctl
