// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/farewell.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace zcluster::heartbeat {
namespace {

// keepalived ends 1.1 s after SIGTERM; a machine under load may need more.
constexpr absl::Duration kPatience = absl::Seconds(5);
// A killed process that is still there then hangs in the kernel: nothing more can be done.
constexpr absl::Duration kLimit = absl::Seconds(7);

}  // namespace

void Farewell::Begin(std::vector<FoundProcess> known, std::function<void()> done) {
  done_ = std::move(done);
  for (FoundProcess& process : known) Add(std::move(process));
  FindMore();
  Ask();
  patience_ = loop_.After(kPatience, [this] {
    log::Warning("keepalived_killed", {{"silent", absl::FormatDuration(kPatience)}});
    FindMore();
    for (const Leaving& each : leaving_) each.process.Signal(SIGKILL);
  });
  limit_ = loop_.After(leaving_.empty() ? absl::ZeroDuration() : kLimit, [this] { Finish(); });
}

void Farewell::Cancel() {
  leaving_.clear();
  patience_.reset();
  limit_.reset();
  done_ = nullptr;
}

void Farewell::Add(FoundProcess process) {
  const bool known = std::any_of(leaving_.begin(), leaving_.end(), [&](const Leaving& each) {
    return each.process.pid == process.pid;
  });
  if (known) return;
  const int pidfd = process.pidfd.get();
  leaving_.push_back({std::move(process), loop_.WatchReadable(pidfd, [this] { OnEnd(); })});
}

void Farewell::FindMore() {
  for (FoundProcess& found : FindAllProcesses(options_)) Add(std::move(found));
}

void Farewell::OnEnd() {
  const pid_t asked = leaving_.front().process.pid;
  std::vector<Leaving> left;
  for (Leaving& each : leaving_) {
    if (each.process.HasEnded()) {
      ReapChild(each.process.pidfd.get());
    } else {
      left.push_back(std::move(each));
    }
  }
  leaving_ = std::move(left);
  FindMore();
  if (leaving_.empty()) return Finish();
  if (leaving_.front().process.pid != asked) Ask();
}

void Farewell::Finish() {
  const auto done = std::move(done_);
  Cancel();
  // Last: it may destroy this.
  done();
}

void Farewell::Ask() {
  if (!leaving_.empty()) leaving_.front().process.Signal(SIGTERM);
}

}  // namespace zcluster::heartbeat
