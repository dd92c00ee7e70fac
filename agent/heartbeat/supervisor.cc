// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/supervisor.h"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/heartbeat/address.h"
#include "agent/heartbeat/render.h"
#include "common/check.h"
#include "common/child.h"
#include "common/file.h"
#include "common/log.h"
#include "common/real_time.h"
#include "common/status.h"

namespace zcluster::heartbeat {
namespace {

// A VRRP process whose parent died gives up its addresses within 5 ms, then takes a second to end.
constexpr absl::Duration kGoodbye = absl::Milliseconds(100);
// keepalived has its VRRP process 20 ms after its start, and makes the next one a second after the
// last one died at the latest.
constexpr absl::Duration kLookAgain = absl::Milliseconds(10);
constexpr absl::Duration kGrownUp = absl::Seconds(3);
// A parent makes the next VRRP process at once or a second later; later still if the last ones died
// within a minute, and never if it hangs.
constexpr absl::Duration kChildless = absl::Seconds(10);
// Who was killed and still has not ended by then hangs in the kernel.
constexpr absl::Duration kStuck = absl::Seconds(5);
// Who lived so long died of something new: it is started again at once.
constexpr absl::Duration kLivedWell = absl::Seconds(10);

constexpr char kWasKilled[] = "keepalived hung and was killed; it is being restarted";

}  // namespace

Supervisor::Supervisor(Loop& loop, const Options& options, Observer observer)
    : loop_(loop),
      options_(options),
      observer_(std::move(observer)),
      wanted_(Render(options)),
      check_(loop),
      taken_(loop, options.LogPath()),
      farewell_(loop, options),
      backoff_(absl::Milliseconds(100), absl::Seconds(10)) {}

void Supervisor::Start() { Begin(); }

void Supervisor::Stop() {
  for (Loop::Registration* registration :
       {&parent_watch_, &vrrp_watch_, &orphan_watch_, &dismissal_, &expecting_, &retry_, &later_}) {
    registration->reset();
  }
  check_.Cancel();
  taken_.Cancel();
  farewell_.Cancel();
  reconfigured_ = nullptr;
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
  if (!FindVrrp()) ExpectVrrp();
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
  dismissal_ = loop_.After(kGoodbye, [this] {
    orphan_->Signal(SIGKILL);
    dismissal_ = loop_.After(kStuck, [this] { ReportStuck(*orphan_); });
  });
}

void Supervisor::ReportStuck(const FoundProcess& process) {
  const std::string place = process.WaitsIn();
  observer_.refused(absl::StrCat(
      "keepalived (process ", process.pid, ") was killed, but does not end: it hangs in the kernel",
      place.empty() ? "" : absl::StrCat(" (", place, ")"),
      "; a new one can only be started once it has. If it never does, reboot this node"));
}

void Supervisor::Check() {
  if (check_.under_way()) return;
  check_.Begin(options_, options_.CandidatePath(), wanted_,
               [this](const absl::Status& status) { FinishCheck(status); });
}

void Supervisor::FinishCheck(const absl::Status& status) {
  // What became wanted meanwhile was accepted by a check of its own.
  if (!status.ok() && !reconfigured_) return Refuse(std::string(status.message()));
  checked_ = true;
  Apply();
}

void Supervisor::Apply() {
  if (orphan_ || killed_) return;  // the parent died during the check: Begin() comes again
  if (!parent_) return Launch();
  // One that has only just been started would die of a SIGHUP, and one whose VRRP process is being
  // made anew would not say that it took it.
  if (!FindVrrp() && Loop::Now() < started_ + kGrownUp) {
    later_ = loop_.After(kLookAgain, [this] { Apply(); });
    return;
  }
  if (taken_.under_way()) {
    tell_again_ = true;
  } else {
    Tell();
  }
}

void Supervisor::Tell() {
  absl::Status installed = WriteFileAtomically(options_.CandidatePath(), wanted_, 0600);
  installed.Update(WriteFileDurably(options_.ConfigPath(), wanted_, 0600));
  if (!installed.ok()) return Refuse(std::string(installed.message()));
  taken_.Begin([this](const absl::Status& status) { OnTaken(status); });
  parent_->Signal(SIGHUP);
  ::unlink(options_.CandidatePath().c_str());
  log::Info("keepalived_reloaded", {{"config", options_.ConfigPath()}});
  observer_.reloaded();
}

void Supervisor::OnTaken(const absl::Status& status) {
  if (std::exchange(tell_again_, false)) return Tell();
  if (!status.ok()) log::Warning("keepalived_silent", {{"problem", std::string(status.message())}});
  EndReconfigure(status);
}

void Supervisor::EndReconfigure(const absl::Status& status) {
  if (const auto done = std::exchange(reconfigured_, nullptr)) done(status);
}

void Supervisor::Reconfigure(std::function<void(const absl::Status&)> done) {
  ZC_CHECK(!reconfigured_);
  wanted_ = Render(options_);
  reconfigured_ = std::move(done);
  if (!running()) {
    // Whoever starts it asks for what is wanted then.
    later_ = loop_.After(absl::ZeroDuration(), [this] { EndReconfigure(absl::OkStatus()); });
    return;
  }
  retry_.reset();
  if (!check_.under_way()) Apply();
}

void Supervisor::End(std::function<void()> done) {
  std::vector<FoundProcess> known;
  for (absl::optional<FoundProcess>* process : {&parent_, &vrrp_, &orphan_}) {
    if (*process) known.push_back(*std::exchange(*process, absl::nullopt));
  }
  Stop();
  farewell_.Begin(std::move(known), std::move(done));
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
  killed_ = false;
  parent_watch_ = loop_.WatchReadable(parent_->pidfd.get(), [this] { OnParentEnd(); });
  HoldRealTime();
}

void Supervisor::ExpectVrrp() {
  expecting_ = loop_.After(kChildless, [this] {
    if (!running() || FindVrrp()) return;
    log::Warning("keepalived_childless", {{"pid", absl::StrCat(parent_->pid)}});
    Kill();
  });
}

bool Supervisor::FindVrrp() {
  if (vrrp_) return true;
  if (!running()) return false;
  vrrp_ = FindProcess(options_.VrrpPidPath(), options_);
  if (!vrrp_) return false;
  expecting_.reset();
  vrrp_watch_ = loop_.WatchReadable(vrrp_->pidfd.get(), [this] { OnVrrpEnd(); });
  HoldRealTime();
  return true;
}

void Supervisor::HoldRealTime() {
  absl::Status status;
  // The parent hands it on, so that a VRRP process that it makes while no agent lives has it too.
  if (parent_) status.Update(RunInRealTime(parent_->pid, kKeepalivedPriority, /*alone=*/false));
  // Not to the scripts that the VRRP process runs.
  if (vrrp_) status.Update(RunInRealTime(vrrp_->pid, kKeepalivedPriority, /*alone=*/true));
  // One that has ended meanwhile is noticed by its pidfd.
  if (status.ok() || absl::IsNotFound(status) || std::exchange(real_time_refused_, true)) return;
  log::Warning("heartbeat_without_real_time", {{"problem", std::string(status.message())}});
}

void Supervisor::KillHung() {
  Kill();
  // Nothing of it runs any more that would miss them.
  RemoveStaleAddresses();
  observer_.gone(kWasKilled);
}

void Supervisor::Kill() {
  killed_ = true;
  // The parent first, lest it make another one.
  parent_->Signal(SIGKILL);
  if (vrrp_) vrrp_->Signal(SIGKILL);
  dismissal_ = loop_.After(kStuck, [this] { ReportStuck(*parent_); });
}

bool Supervisor::Wake() {
  bool stopped = false;
  for (const absl::optional<FoundProcess>* process : {&parent_, &vrrp_}) {
    if (!*process) continue;
    const absl::optional<Activity> activity = (*process)->Look();
    if (!activity || !activity->IsStopped()) continue;
    stopped = true;
    log::Warning("keepalived_stopped", {{"pid", absl::StrCat((*process)->pid)}});
    (*process)->Signal(SIGCONT);
  }
  return stopped;
}

void Supervisor::OnParentEnd() {
  const absl::optional<ChildExit> exit = ReapChild(parent_->pidfd.get());
  log::Warning("keepalived_died",
               {{"pid", absl::StrCat(parent_->pid)}, {"how", exit ? exit->ToString() : "unknown"}});
  const bool killed = std::exchange(killed_, false);
  for (Loop::Registration* registration :
       {&parent_watch_, &vrrp_watch_, &dismissal_, &expecting_, &later_}) {
    registration->reset();
  }
  taken_.Cancel();
  tell_again_ = false;
  parent_.reset();
  vrrp_.reset();
  if (Loop::Now() - started_ > kLivedWell) backoff_.Reset();
  not_before_ =
      Loop::Now() - started_ > kLivedWell ? absl::InfinitePast() : Loop::Now() + backoff_.Next();
  observer_.gone(killed ? kWasKilled
                        : absl::StrCat("keepalived died",
                                       exit ? absl::StrCat(" (", exit->ToString(), ")") : "",
                                       "; it is being restarted"));
  Begin();
  EndReconfigure(absl::OkStatus());  // the next one reads what is wanted
}

void Supervisor::OnVrrpEnd() {
  log::Warning("keepalived_vrrp_died", {{"pid", absl::StrCat(vrrp_->pid)}});
  vrrp_watch_.reset();
  vrrp_.reset();
  if (killed_) return;  // the parent follows
  ExpectVrrp();
  // keepalived would take them off itself, 25 to 200 ms later, when the peer may have them already.
  // Unless it has made the next process while we were late: then they may be rightly there.
  if (!FindVrrp()) RemoveStaleAddresses();
  observer_.gone("keepalived's VRRP process died; keepalived is restarting it");
  if (!taken_.under_way()) return;
  taken_.Cancel();  // the next one reads what this one was told
  OnTaken(absl::OkStatus());
}

void Supervisor::RemoveStaleAddresses() {
  std::vector<Vip> stale = options_.vips;
  stale.push_back(AnchorOf(options_));
  // A keepalived that died may have been told of others, which went out of the options since.
  const absl::StatusOr<std::string> present = ReadFile(options_.ConfigPath());
  for (Vip& vip : AddressesIn(present.value_or(""))) stale.push_back(std::move(vip));
  const absl::Status removed = RemoveAddresses(stale);
  if (!removed.ok())
    log::Warning("stale_addresses_stay", {{"problem", std::string(removed.message())}});
}

void Supervisor::Refuse(const std::string& problem) {
  log::Warning("keepalived_refused", {{"problem", problem}});
  observer_.refused(problem);
  EndReconfigure(absl::InternalError(problem));
  retry_ = loop_.After(backoff_.Next(), [this] {
    if (parent_) {
      Reload();
    } else {
      Begin();
    }
  });
}

}  // namespace zcluster::heartbeat
