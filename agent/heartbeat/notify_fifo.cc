// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/notify_fifo.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "agent/heartbeat/render.h"
#include "common/status.h"

namespace zcluster::heartbeat {
namespace {

absl::optional<core::VrrpState> StateIn(absl::string_view line) {
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipWhitespace());
  if (words.size() < 3 || words[0] != "INSTANCE" ||
      words[1] != absl::StrCat("\"", kInstance, "\"")) {
    return absl::nullopt;
  }
  if (words[2] == "MASTER") return core::VrrpState::kMaster;
  if (words[2] == "BACKUP") return core::VrrpState::kBackup;
  if (words[2] == "FAULT") return core::VrrpState::kFault;
  if (words[2] == "STOP") return core::VrrpState::kDown;
  return absl::nullopt;
}

}  // namespace

std::vector<core::VrrpState> NotifyParser::Feed(absl::string_view bytes) {
  std::vector<core::VrrpState> states;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const absl::string_view piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > kLongestLine) {
      overlong_ = true;
      line_.clear();
    }
    if (!overlong_) line_.append(piece.data(), piece.size());
    if (end == absl::string_view::npos) break;
    if (absl::optional<core::VrrpState> state = StateIn(line_)) states.push_back(*state);
    line_.clear();
    overlong_ = false;
    bytes.remove_prefix(end + 1);
  }
  return states;
}

absl::Status NotifyFifo::Open(std::function<void(core::VrrpState)> told) {
  told_ = std::move(told);
  if (IsCurrent()) return absl::OkStatus();
  Close();
  if (::mkfifo(path_.c_str(), 0600) != 0 && errno != EEXIST) return ErrnoStatus(path_);
  UniqueFd fd(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  struct stat info = {};
  if (!fd || ::fstat(fd.get(), &info) != 0) return ErrnoStatus(path_);
  if (!S_ISFIFO(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is not a FIFO; remove it, it will be made anew"));
  }
  fd_ = std::move(fd);
  parser_ = NotifyParser();
  watch_ = loop_.WatchReadable(fd_.get(), [this] {
    for (core::VrrpState state : Take()) told_(state);
  });
  return absl::OkStatus();
}

std::vector<core::VrrpState> NotifyFifo::Take() {
  std::vector<core::VrrpState> states;
  char buffer[4096];
  // A pipe holds 64 KiB: more than that in one go is a writer faster than us, who may wait for the
  // next call.
  for (int reads = 0; fd_ && reads < 16; ++reads) {
    const ssize_t n = ::read(fd_.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    for (core::VrrpState state : parser_.Feed({buffer, static_cast<size_t>(n)}))
      states.push_back(state);
  }
  return states;
}

void NotifyFifo::Close() {
  watch_.reset();
  fd_.Reset();
}

bool NotifyFifo::IsCurrent() const {
  struct stat ours = {}, named = {};
  return fd_ && ::fstat(fd_.get(), &ours) == 0 && ::lstat(path_.c_str(), &named) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

}  // namespace zcluster::heartbeat
