// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/tracked_file.h"

#include <unistd.h>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::heartbeat {

absl::Status TrackedFile::Write(int value) {
  // What we wrote may have been changed since, by the script that ends a lease or by somebody's
  // hand.
  if (written_ == value && Read() == value) return absl::OkStatus();
  ZC_RETURN_IF_ERROR(WriteFileAtomically(path_, absl::StrCat(value, "\n"), 0600));
  written_ = value;
  return absl::OkStatus();
}

absl::Status TrackedFile::EnsureExists() {
  return ::access(path_.c_str(), F_OK) == 0 ? absl::OkStatus() : Write(0);
}

int TrackedFile::Read() const {
  constexpr size_t kLongest = 64;
  const absl::StatusOr<std::string> content = ReadFile(path_, kLongest);
  int value = 0;
  if (!content.ok() || !absl::SimpleAtoi(absl::StripAsciiWhitespace(*content), &value)) return 0;
  return value;
}

}  // namespace zcluster::heartbeat
