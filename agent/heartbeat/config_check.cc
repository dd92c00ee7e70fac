// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/config_check.h"

#include <poll.h>
#include <signal.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/heartbeat/process.h"
#include "common/check.h"
#include "common/file.h"
#include "common/status.h"

namespace zcluster::heartbeat {
namespace {

// keepalived checks its configuration in 13 ms; one that takes this long hangs.
constexpr absl::Duration kLimit = absl::Seconds(5);
constexpr int kKilledWithinMs = 200;

}  // namespace

void ConfigCheck::Begin(const Options& options, const std::string& path, const std::string& text,
                        std::function<void(const absl::Status&)> done) {
  ZC_CHECK(!under_way());
  done_ = std::move(done);
  const absl::Status asked = Ask(options, path, text);
  if (!asked.ok()) return Refuse(asked, std::exchange(done_, nullptr));
  watch_ = loop_.WatchReadable(keepalived_->pidfd().get(), [this] { Finish(Answer()); });
  limit_ = loop_.After(kLimit, [this] { keepalived_->Signal(SIGKILL); });
}

void ConfigCheck::Refuse(const absl::Status& why, std::function<void(const absl::Status&)> done) {
  ZC_CHECK(!under_way());
  done_ = std::move(done);
  // A copy of its own to Finish(): that ends the task, and what it holds.
  limit_ = loop_.After(absl::ZeroDuration(), [this, answer = why]() mutable {
    Finish(std::exchange(answer, absl::OkStatus()));
  });
}

void ConfigCheck::Cancel() {
  watch_.reset();
  limit_.reset();
  if (keepalived_) {
    keepalived_->Signal(SIGKILL);
    // Killed, it ends at once, and nobody else would reap it while we live.
    pollfd end = {keepalived_->pidfd().get(), POLLIN, 0};
    if (::poll(&end, 1, kKilledWithinMs) == 1) keepalived_->Exit();
  }
  keepalived_.reset();
  done_ = nullptr;
}

absl::Status ConfigCheck::Ask(const Options& options, const std::string& path,
                              const std::string& text) {
  ZC_RETURN_IF_ERROR(WriteFileAtomically(path, text, 0600));
  ZC_ASSIGN_OR_RETURN(output_, MakeMemoryFile());
  ZC_ASSIGN_OR_RETURN(keepalived_, StartCheck(path, output_.get(), options));
  return absl::OkStatus();
}

absl::Status ConfigCheck::Answer() {
  const absl::optional<ChildExit> exit = keepalived_->Exit();
  if (exit && exit->ok()) return absl::OkStatus();
  if (!exit || exit->signal != 0) {
    return absl::DeadlineExceededError(
        absl::StrCat("keepalived's check of its configuration did not end within ",
                     absl::FormatDuration(kLimit)));
  }
  const std::string words = absl::StrReplaceAll(
      absl::StripAsciiWhitespace(ReadMemoryFile(output_.get())), {{"\n", "; "}});
  return absl::InvalidArgumentError(
      absl::StrCat("keepalived refuses its configuration (", exit->ToString(), "): ", words));
}

void ConfigCheck::Finish(const absl::Status& status) {
  watch_.reset();
  limit_.reset();
  keepalived_.reset();
  output_.Reset();
  // Last: it may begin the next one, or destroy this.
  const auto done = std::exchange(done_, nullptr);
  done(status);
}

}  // namespace zcluster::heartbeat
