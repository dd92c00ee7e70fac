// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/password_tries.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::bootstrap {
namespace {

constexpr int kMost = 5;
constexpr size_t kMaxFile = 64;

}  // namespace

absl::StatusOr<PasswordTries> PasswordTries::Open(std::string path) {
  PasswordTries tries(std::move(path));
  const absl::StatusOr<std::string> text = ReadFile(tries.path_, kMaxFile);
  if (absl::IsNotFound(text.status())) return tries;
  ZC_RETURN_IF_ERROR(text.status());
  if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(*text), &tries.taken_) || tries.taken_ < 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        tries.path_, ": is damaged; remove it, which is what `zctl node unlock` does"));
  }
  return tries;
}

absl::Status PasswordTries::Check() const {
  if (left() > 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "locked after five wrong passwords; on that node: zctl node unlock");
}

absl::Status PasswordTries::Take() {
  ZC_RETURN_IF_ERROR(Check());
  return Write(taken_ + 1);
}

absl::Status PasswordTries::Clear() { return taken_ == 0 ? absl::OkStatus() : Write(0); }

int PasswordTries::left() const { return taken_ < kMost ? kMost - taken_ : 0; }

absl::Status PasswordTries::Write(int taken) {
  ZC_RETURN_IF_ERROR(WriteFileDurably(path_, absl::StrCat(taken, "\n"), 0600));
  taken_ = taken;
  return absl::OkStatus();
}

}  // namespace zcluster::bootstrap
