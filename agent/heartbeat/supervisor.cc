// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/supervisor.h"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/heartbeat/address.h"
#include "agent/heartbeat/render.h"
#include "common/file.h"
#include "common/log.h"
#include "common/status.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot this for C++
}

namespace zcluster::heartbeat {
namespace {

// keepalived checks its configuration in 13 ms; one that takes this long hangs.
constexpr absl::Duration kCheckLimit = absl::Seconds(5);
// A VRRP process whose parent died gives up its addresses within 5 ms, then takes a second to end.
constexpr absl::Duration kGoodbye = absl::Milliseconds(100);
// Who lived so long died of something new: it is started again at once.
constexpr absl::Duration kLivedWell = absl::Seconds(10);

}  // namespace

Supervisor::Supervisor(Loop& loop, const Options& options, Observer observer)
    : loop_(loop),
      options_(options),
      observer_(std::move(observer)),
      wanted_(Render(options)),
      backoff_(absl::Milliseconds(100), absl::Seconds(10)) {}

void Supervisor::Start() { Begin(); }

void Supervisor::Stop() {
  for (Loop::Registration* registration : {&parent_watch_, &vrrp_watch_, &orphan_watch_,
                                           &dismissal_, &check_watch_, &check_limit_, &retry_}) {
    registration->reset();
  }
  if (check_) check_->Signal(SIGKILL);
  parent_.reset();
  vrrp_.reset();
}

void Supervisor::Begin() {
  retry_.reset();
  if (parent_) return;
  if (absl::optional<FoundProcess> parent = FindProcess(options_.PidPath(), options_)) {
    Adopt(*std::move(parent));
    return;
  }
  if (absl::optional<FoundProcess> orphan = FindProcess(options_.VrrpPidPath(), options_)) {
    Dismiss(*std::move(orphan));
    return;
  }
  // At once, even if keepalived is not to be started yet: the peer takes over meanwhile.
  RemoveStaleAddresses();
  RemoveStalePidFiles(options_);
  if (!std::exchange(began_, true)) observer_.starting();
  const absl::Duration wait = not_before_ - Loop::Now();
  if (wait > absl::ZeroDuration()) {
    retry_ = loop_.After(wait, [this] { Begin(); });
    return;
  }
  const absl::StatusOr<std::string> present = ReadFile(options_.ConfigPath());
  if (checked_ && present.ok() && *present == wanted_) {
    Launch();
  } else {
    Check();
  }
}

void Supervisor::Adopt(FoundProcess parent) {
  log::Info("keepalived_adopted", {{"pid", absl::StrCat(parent.pid)}});
  began_ = true;
  Watch(std::move(parent));
  FindVrrp();
  observer_.running(/*adopted=*/true);
  Reload();
}

void Supervisor::Reload() {
  const absl::StatusOr<std::string> present = ReadFile(options_.ConfigPath());
  const bool pending = ::access(options_.CandidatePath().c_str(), F_OK) == 0;
  if (!present.ok() || *present != wanted_ || pending) Check();
}

void Supervisor::Dismiss(FoundProcess orphan) {
  orphan_ = std::move(orphan);
  orphan_watch_ = loop_.WatchReadable(orphan_->pidfd.get(), [this] {
    orphan_watch_.reset();
    dismissal_.reset();
    orphan_.reset();
    Begin();
  });
  dismissal_ = loop_.After(
      kGoodbye, [this] { ::pidfd_send_signal(orphan_->pidfd.get(), SIGKILL, nullptr, 0); });
}

void Supervisor::Check() {
  if (check_) return;
  absl::Status status = WriteFileAtomically(options_.CandidatePath(), wanted_, 0600);
  absl::StatusOr<UniqueFd> output = MakeMemoryFile();
  status.Update(output.status());
  if (!status.ok()) return Refuse(std::string(status.message()));
  check_output_ = *std::move(output);
  absl::StatusOr<Child> check = StartCheck(options_.CandidatePath(), check_output_.get(), options_);
  if (!check.ok()) return Refuse(std::string(check.status().message()));
  check_ = *std::move(check);
  check_watch_ = loop_.WatchReadable(check_->pidfd().get(), [this] { FinishCheck(); });
  check_limit_ = loop_.After(kCheckLimit, [this] { check_->Signal(SIGKILL); });
}

void Supervisor::FinishCheck() {
  const absl::optional<ChildExit> exit = check_->Exit();
  const std::string said = ReadMemoryFile(check_output_.get());
  check_watch_.reset();
  check_limit_.reset();
  check_.reset();
  check_output_.Reset();
  if (exit && exit->ok()) {
    checked_ = true;
    Apply();
    return;
  }
  const std::string words = absl::StrReplaceAll(absl::StripAsciiWhitespace(said), {{"\n", "; "}});
  Refuse(absl::StrCat("keepalived refuses its configuration (",
                      exit ? exit->ToString() : "no answer", "): ", words));
}

void Supervisor::Apply() {
  if (orphan_) return;  // the parent died during the check: Begin() comes again
  if (!parent_) return Launch();
  const absl::Status installed = WriteFileDurably(options_.ConfigPath(), wanted_, 0600);
  if (!installed.ok()) return Refuse(std::string(installed.message()));
  ::pidfd_send_signal(parent_->pidfd.get(), SIGHUP, nullptr, 0);
  ::unlink(options_.CandidatePath().c_str());
  log::Info("keepalived_reloaded", {{"config", options_.ConfigPath()}});
  observer_.reloaded();
}

void Supervisor::Launch() {
  retry_.reset();
  const absl::Status installed = WriteFileDurably(options_.ConfigPath(), wanted_, 0600);
  if (!installed.ok()) return Refuse(std::string(installed.message()));
  ::unlink(options_.CandidatePath().c_str());
  absl::StatusOr<Child> child = StartKeepalived(options_);
  if (!child.ok()) return Refuse(std::string(child.status().message()));
  log::Info("keepalived_started",
            {{"pid", absl::StrCat(child->pid())}, {"log", options_.LogPath()}});
  const pid_t pid = child->pid();
  Watch(FoundProcess{.pid = pid, .pidfd = child->TakePidfd()});
  observer_.running(/*adopted=*/false);
}

void Supervisor::Watch(FoundProcess parent) {
  started_ = Loop::Now();
  parent_ = std::move(parent);
  parent_watch_ = loop_.WatchReadable(parent_->pidfd.get(), [this] { OnParentEnd(); });
}

bool Supervisor::FindVrrp() {
  if (vrrp_) return true;
  if (!parent_) return false;
  vrrp_ = FindProcess(options_.VrrpPidPath(), options_);
  if (!vrrp_) return false;
  vrrp_watch_ = loop_.WatchReadable(vrrp_->pidfd.get(), [this] { OnVrrpEnd(); });
  return true;
}

void Supervisor::OnParentEnd() {
  const absl::optional<ChildExit> exit = ReapChild(parent_->pidfd.get());
  log::Warning("keepalived_died",
               {{"pid", absl::StrCat(parent_->pid)}, {"how", exit ? exit->ToString() : "unknown"}});
  parent_watch_.reset();
  vrrp_watch_.reset();
  parent_.reset();
  vrrp_.reset();
  if (Loop::Now() - started_ > kLivedWell) backoff_.Reset();
  not_before_ =
      Loop::Now() - started_ > kLivedWell ? absl::InfinitePast() : Loop::Now() + backoff_.Next();
  observer_.gone(absl::StrCat("keepalived died",
                              exit ? absl::StrCat(" (", exit->ToString(), ")") : "",
                              "; it is being restarted"));
  Begin();
}

void Supervisor::OnVrrpEnd() {
  log::Warning("keepalived_vrrp_died", {{"pid", absl::StrCat(vrrp_->pid)}});
  vrrp_watch_.reset();
  vrrp_.reset();
  // keepalived would take them off itself, 25 to 200 ms later, when the peer may have them already.
  // Unless it has made the next process while we were late: then they may be rightly there.
  if (!FindVrrp()) RemoveStaleAddresses();
  observer_.gone("keepalived's VRRP process died; keepalived is restarting it");
}

void Supervisor::RemoveStaleAddresses() {
  std::vector<Vip> stale = options_.vips;
  stale.push_back(AnchorOf(options_));
  const absl::Status removed = RemoveAddresses(stale);
  if (!removed.ok())
    log::Warning("stale_addresses_stay", {{"problem", std::string(removed.message())}});
}

void Supervisor::Refuse(const std::string& problem) {
  log::Warning("keepalived_refused", {{"problem", problem}});
  observer_.refused(problem);
  retry_ = loop_.After(backoff_.Next(), [this] {
    if (parent_) {
      Reload();
    } else {
      Begin();
    }
  });
}

}  // namespace zcluster::heartbeat
