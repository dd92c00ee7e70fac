// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/reload_watch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/unique_fd.h"

namespace zcluster::heartbeat {
namespace {

// Its last words on a reload: by then the addresses are as configured, and a master has told the
// new interval.
constexpr absl::string_view kTaken = "Reload complete";
// It takes 30 ms; on a loaded machine with hundreds of VIPs, hundreds.
constexpr absl::Duration kLimit = absl::Seconds(5);
constexpr absl::Duration kLookEvery = absl::Milliseconds(5);
// Of the log at one look: a reload has some lines for each VIP.
constexpr off_t kMost = 1 << 20;

off_t SizeOf(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

std::string ReadFrom(const std::string& path, off_t begin, off_t end) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  std::string text(static_cast<size_t>(std::min(end - begin, kMost)), '\0');
  const ssize_t n =
      fd ? ::pread(fd.get(), text.data(), text.size(), end - std::min(end - begin, kMost)) : 0;
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return text;
}

}  // namespace

void ReloadWatch::Begin(std::function<void(const absl::Status&)> done) {
  done_ = std::move(done);
  read_ = SizeOf(log_);
  deadline_ = Loop::Now() + kLimit;
  looks_ = loop_.Every(kLookEvery, [this] { Look(); });
}

void ReloadWatch::Cancel() {
  looks_.reset();
  done_ = nullptr;
}

void ReloadWatch::Look() {
  const off_t size = SizeOf(log_);
  if (size < read_) read_ = 0;  // it was emptied
  absl::Status status;
  if (!absl::StrContains(ReadFrom(log_, read_, size), kTaken)) {
    if (Loop::Now() < deadline_) return;
    status = absl::DeadlineExceededError(
        absl::StrCat("keepalived has not said within ", absl::FormatDuration(kLimit),
                     " that it took its configuration; see ", log_));
  }
  looks_.reset();
  // Last: it may begin the next one, or destroy this.
  const auto done = std::exchange(done_, nullptr);
  done(status);
}

}  // namespace zcluster::heartbeat
