// SPDX-License-Identifier: Apache-2.0
#include "ctl/verbs/look_on.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/check.h"
#include "ctl/output/utf8.h"
#include "ctl/verbs/print.h"

namespace zcluster::ctl {
namespace {

// How long until who went away is looked for again.
constexpr absl::Duration kPause = absl::Milliseconds(300);

// What passes by itself: a restart, a wire, a reader that was too slow for the stream.
bool MayPass(const absl::Status& status) {
  return status.ok() || absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
}

}  // namespace

Enough::Enough(int out_fd)
    : interrupts_({SIGINT, SIGTERM, SIGHUP}), over_(eventfd(0, EFD_CLOEXEC)), out_fd_(out_fd) {
  ZC_CHECK(static_cast<bool>(over_));
  signal(SIGPIPE, SIG_IGN);  // `zctl watch | head` ends here, not by a signal
  thread_ = std::thread([this] { Wait(); });
}

Enough::~Enough() {
  eventfd_write(over_.get(), 1);
  thread_.join();
}

void Enough::Watch(grpc::ClientContext* call) {
  absl::MutexLock lock(&mutex_);
  call_ = call;
  if (call_ != nullptr && Come()) call_->TryCancel();
}

void Enough::Wait() {
  pollfd waits[3] = {{interrupts_.fd(), POLLIN, 0},
                     {over_.get(), POLLIN, 0},
                     {out_fd_, 0, 0}};  // only for POLLERR: the reader has gone
  while (poll(waits, 3, -1) < 0 && errno == EINTR) {
  }
  if (waits[1].revents != 0) return;
  come_.Notify();
  absl::MutexLock lock(&mutex_);
  if (call_ != nullptr) call_->TryCancel();
}

LookingOn::LookingOn(Context& context)
    : context_(context),
      enough_(context.out_fd),
      end_(context.timeout > absl::ZeroDuration() ? absl::Now() + context.timeout
                                                  : absl::InfiniteFuture()) {}

ExitCode LookingOn::Run(Once once) {
  for (;;) {
    const bool before = reached_;
    const absl::Status status = Try(once);
    if (IsOver()) return ExitCode::kOk;
    // What it says of too many that look already is an answer, at first.
    const bool passes = before ? MayPass(status) : status.ok() || absl::IsUnavailable(status);
    if (!passes || !reached_) return Fail(context_, status);
    Miss(status);
    if (enough_.ComesWithin(kPause)) return ExitCode::kOk;
  }
}

void LookingOn::Heard() {
  if (missed_) {
    context_.err << context_.program.name << ": the " << Called(context_) << " is back"
                 << std::endl;
  }
  missed_ = false;
}

bool LookingOn::Over() const {
  return enough_.Come() || context_.out.fail() || absl::Now() >= end_;
}

absl::Status LookingOn::Try(Once once) {
  context_.channel = nullptr;  // another node may be the one to ask by now
  const auto channel = Reach(context_);
  if (!channel.ok()) return channel.status();
  reached_ = true;
  grpc::ClientContext call;
  if (end_ != absl::InfiniteFuture()) call.set_deadline(absl::ToChronoTime(end_));
  enough_.Watch(&call);
  const grpc::Status status = once(*channel, &call);
  enough_.Watch(nullptr);
  return status.ok() ? absl::OkStatus() : Outcome(context_, status, /*answered=*/true);
}

// Nobody wants more: a signal, the end of --timeout, or of whoever reads.
bool LookingOn::IsOver() {
  if (!Over()) return false;
  context_.out.clear();  // a reader that had enough is no failure
  return true;
}

void LookingOn::Miss(const absl::Status& status) {
  if (missed_) return;
  missed_ = true;
  context_.err << context_.program.name << ": the " << Called(context_)
               << " went away; waiting for it";
  if (!status.ok()) context_.err << " (" << Sanitise(status.message()) << ')';
  context_.err << std::endl;
}

bool OnTerminal(const Context& context) {
  return !ForPrograms(context) && isatty(context.out_fd) == 1;
}

std::string Frame(const std::string& text, bool first) {
  // Without wrapping (DECAWM) while it is drawn, so that a long line takes one line of the screen.
  return absl::StrCat("\x1b[?7l", first ? "\x1b[H\x1b[2J" : "\x1b[H",
                      absl::StrReplaceAll(text, {{"\n", "\x1b[K\n"}}), "\x1b[J\x1b[?7h");
}

}  // namespace zcluster::ctl
