// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/heartbeat.h"

#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/core/boot_gate.h"
#include "agent/heartbeat/address.h"
#include "agent/heartbeat/process.h"
#include "agent/heartbeat/render.h"
#include "common/check.h"
#include "common/file.h"
#include "common/interface.h"
#include "common/log.h"
#include "common/real_time.h"
#include "common/status.h"

namespace zcluster::heartbeat {
namespace {

constexpr char kComponent[] = "heartbeat";

constexpr absl::Duration kVerifyEvery = absl::Seconds(1);
// keepalived writes its line and moves its address within 1 ms of each other; a difference that
// lasts this long is one.
constexpr absl::Duration kSettle = absl::Milliseconds(50);

// Asks about a file of its own.
void Ask(ConfigCheck& check, const Options& options,
         std::function<void(const absl::Status&)> done) {
  static std::atomic<unsigned> counter{0};
  const std::string path = absl::StrCat(options.ProposalPath(), ".", ::getpid(), ".", counter++);
  absl::Status valid = Validate(options);
  if (valid.ok()) valid = MakeDirectories(options.state_dir, 0700);
  if (!valid.ok()) return check.Refuse(valid, std::move(done));
  check.Begin(options, path, Render(options),
              [path, done = std::move(done)](const absl::Status& status) {
                ::unlink(path.c_str());
                done(status);
              });
}

absl::Status GivenBack() {
  return absl::FailedPreconditionError("keepalived was given back; this node is in no pair");
}

}  // namespace

Heartbeat::Heartbeat(Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      fault_(options_),
      standing_(options_.StandingPath()),
      fifo_(loop, options_.FifoPath()),
      announcer_(loop, options_.vips),
      supervisor_(loop, options_,
                  {.starting = [this] { OnStarting(); },
                   .running = [this](bool adopted) { OnRunning(adopted); },
                   .gone = [this](const std::string& problem) { OnGone(problem); },
                   .refused = [this](const std::string& problem) { SetTrouble(kRefusal, problem); },
                   .reloaded = [this] { SetTrouble(kRefusal, ""); }}),
      peer_adverts_(options_),
      asked_(loop) {}

Heartbeat::~Heartbeat() { Stop(); }

absl::Status Heartbeat::Start(EventSink& events) {
  ZC_RETURN_IF_ERROR(Validate(options_));
  if (::access(options_.keepalived.c_str(), X_OK) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(options_.keepalived, " cannot be run; install the package keepalived"));
  }
  ZC_RETURN_IF_ERROR(MakeDirectories(options_.state_dir, 0700));
  ZC_RETURN_IF_ERROR(MakeDirectories(options_.run_dir, 0755));
  events_ = &events;
  return absl::OkStatus();
}

void Heartbeat::Perform(const core::Action& action) {
  if (events_ == nullptr) return;
  if (const auto* fault = std::get_if<core::SetFault>(&action)) {
    // Whoever has not heard of this node for long may have given up its address: the peer's adverts
    // would come late.
    SetFault(*fault);
  } else if (const auto* standing = std::get_if<core::SetStanding>(&action)) {
    Wrote(standing_.Write(static_cast<int>(standing->standing) -
                          static_cast<int>(core::Standing::kStandby)));
  } else if (std::holds_alternative<core::StartHeartbeat>(action)) {
    Begin();
  } else if (std::holds_alternative<core::Announce>(action)) {
    announcer_.Begin();
  }
}

void Heartbeat::SetFault(const core::SetFault& fault) {
  if (!fault.reason.empty())
    return Wrote(fault_.Set(fault.lease, fault.reason == core::kBootReason));
  // The machine has just booted, and stands aside until the brain knows of it: see OnRunning.
  if (!begun_ && fault_.GateLeft() > absl::ZeroDuration()) return;
  // Whoever has not heard of this node for long may have given up its address: the peer's adverts
  // would come late.
  announcer_.Introduce({options_.address + "/32", options_.interface});
  Wrote(fault_.Lift());
}

void Heartbeat::Stop() {
  events_ = nullptr;
  supervisor_.Stop();
  announcer_.End();
  fifo_.Close();
  verify_.reset();
  verify_soon_.reset();
  hang_looks_.reset();
  asked_.Cancel();
  reconfigured_ = nullptr;
}

void Heartbeat::CheckConfig(Loop& loop, const Options& options,
                            std::function<void(const absl::Status&)> done) {
  auto check = std::make_shared<ConfigCheck>(loop);
  Ask(*check, options,
      [check, done = std::move(done)](const absl::Status& status) { done(status); });
}

void Heartbeat::Reconfigure(const Options& options, std::function<void(const absl::Status&)> done) {
  ZC_CHECK(options.state_dir == options_.state_dir && options.run_dir == options_.run_dir &&
           options.interface == options_.interface && options.address == options_.address &&
           options.peer_address == options_.peer_address);
  if (given_back_) return loop_.Post([done = std::move(done)] { done(GivenBack()); });
  if (reconfigured_) {
    loop_.Post([done = std::move(done)] {
      done(absl::FailedPreconditionError(
          "keepalived is being told of another configuration; try again when that has ended"));
    });
    return;
  }
  reconfigured_ = std::move(done);
  Ask(asked_, options, [this, options](const absl::Status& status) {
    if (status.ok()) {
      Take(options);
    } else {
      FinishReconfigure(status);
    }
  });
}

void Heartbeat::Take(Options options) {
  gone_ = AddressesLost(options_, options);
  options_ = std::move(options);
  announcer_.SetVips(options_.vips);
  supervisor_.Reconfigure([this](const absl::Status& status) { FinishReconfigure(status); });
}

void Heartbeat::FinishReconfigure(const absl::Status& status) {
  // keepalived has removed them, unless something is wrong with it.
  absl::Status ended = status;
  ended.Update(RemoveAddresses(std::exchange(gone_, {})));
  if (ended.ok() && state_ == core::VrrpState::kMaster) {
    ended = HasVips();
    announcer_.Begin();
  }
  const auto done = std::exchange(reconfigured_, nullptr);
  done(ended);
}

absl::Status Heartbeat::HasVips() const {
  for (const Vip& vip : options_.vips) {
    ZC_ASSIGN_OR_RETURN(const bool has, HasAddress(vip));
    if (has || !HasAddress(AnchorOf(options_)).value_or(false)) continue;
    return absl::InternalError(absl::StrCat("keepalived took its configuration, but ", vip.address,
                                            " is not on ", vip.interface, "; see ",
                                            options_.LogPath()));
  }
  return absl::OkStatus();
}

void Heartbeat::GiveBack(std::function<void()> done) {
  ZC_CHECK(!std::exchange(given_back_, true));
  events_ = nullptr;
  announcer_.End();
  fifo_.Close();
  verify_.reset();
  verify_soon_.reset();
  hang_looks_.reset();
  asked_.Cancel();
  reconfigured_ = nullptr;
  supervisor_.End([this, done = std::move(done)] {
    supervisor_.RemoveStaleAddresses();
    RemoveFiles();
    log::Info("heartbeat_given_back", {{"node", options_.node_name}});
    done();
  });
}

void Heartbeat::RemoveFiles() {
  for (const std::string& path :
       {options_.PidPath(), options_.VrrpPidPath(), options_.CheckersPidPath(), options_.FifoPath(),
        options_.LogPath(), options_.ReloadCheckLogPath()}) {
    ::unlink(path.c_str());
  }
  // By name, and a crash may have left temporary files beside them. Never what is not ours: the
  // directory stays if there is such.
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(options_.state_dir, ignored)) {
    const std::string path = entry.path();
    for (const std::string& ours :
         {options_.ConfigPath(), options_.FaultPath(), options_.LeasePath(),
          options_.LeaseScriptPath(), options_.StandingPath()}) {
      if (path == ours || absl::StartsWith(path, ours + ".")) ::unlink(path.c_str());
    }
  }
  ::rmdir(options_.state_dir.c_str());
}

void Heartbeat::Begin() {
  if (std::exchange(begun_, true)) return;
  // Alone: neither the threads that move bulk data nor what an operator's command starts.
  const absl::Status real_time = RunInRealTime(0, kAgentPriority, /*alone=*/true);
  if (!real_time.ok()) {
    log::Warning("agent_without_real_time", {{"problem", std::string(real_time.message())}});
  }
  absl::Status status = fault_.Prepare();
  status.Update(standing_.EnsureExists());
  SetTrouble(kWriting, std::string(status.message()));
  verify_ = loop_.Every(kVerifyEvery, [this] { Verify(); });
  hang_looks_ = loop_.Every(HangWatch::kLookEvery, [this] { LookForHang(); });
  supervisor_.Start();
}

void Heartbeat::OnStarting() {
  // A maintenance goes on.
  if (!fault_.lasts()) Wrote(fault_.Set(core::kBootGate, /*gate=*/true));
  events_->Report(core::VrrpStarting{});
}

void Heartbeat::OnRunning(bool adopted) {
  const absl::Status opened = fifo_.Open([this](core::VrrpState state) { OnTold(state); });
  SetTrouble(kWriting, std::string(opened.message()));
  if (!adopted) SetTrouble(kRefusal, "");
  // What is left in the FIFO is older than what is to be seen, or nearly: a transition that happens
  // just now is either seen, or comes as a line, or at the latest with Verify().
  fifo_.Take();
  state_.reset();
  const absl::Duration aside = fault_.GateLeft();
  if (adopted && aside > absl::ZeroDuration()) events_->Report(core::VrrpStarting{aside});
  if (!adopted || !supervisor_.FindVrrp()) return;
  SetTrouble(kGone, "");
  if (absl::optional<core::VrrpState> found = Find()) Report(*found);
  verify_soon_ = loop_.After(kSettle, [this] { Verify(); });
}

void Heartbeat::OnGone(const std::string& problem) {
  fifo_.Take();  // what the dead one said last is of no use any more
  Report(core::VrrpState::kDown);
  state_.reset();
  SetTrouble(kGone, problem);
}

void Heartbeat::OnTold(core::VrrpState state) {
  if (events_ == nullptr || !supervisor_.running()) return;
  doubted_ = false;
  supervisor_.FindVrrp();
  if (state != core::VrrpState::kDown) SetTrouble(kGone, "");
  Report(state);
}

absl::optional<core::VrrpState> Heartbeat::Find() const {
  const absl::StatusOr<bool> holds = HasAddress(AnchorOf(options_));
  if (!holds.ok()) return absl::nullopt;
  if (*holds) return core::VrrpState::kMaster;
  if (fault_.IsSet() || !InterfaceRuns(options_.interface)) return core::VrrpState::kFault;
  return core::VrrpState::kBackup;
}

void Heartbeat::Verify() {
  BoundLog(options_);
  Wrote(fault_.Mend());
  supervisor_.HoldRealTime();
  SetTrouble(kStopped,
             supervisor_.Wake() ? "keepalived was stopped (SIGSTOP?) and is told to go on" : "");
  if (!supervisor_.running() || !supervisor_.FindVrrp()) return;
  if (state_ == core::VrrpState::kDown) return;  // it said that it stops, and will end soon
  const absl::optional<core::VrrpState> found = Find();
  if (!found) return;
  // By both witnesses: on a master nothing must be taken away.
  LookForDuplicates(*found == core::VrrpState::kMaster || state_ == core::VrrpState::kMaster);
  if (state_ && (*found == core::VrrpState::kMaster) == (*state_ == core::VrrpState::kMaster)) {
    doubted_ = false;
    return;
  }
  if (!std::exchange(doubted_, true)) {
    verify_soon_ = loop_.After(kSettle, [this] { Verify(); });
    return;
  }
  log::Info("vrrp_state_found",
            {{"anchor", *found == core::VrrpState::kMaster ? "present" : "absent"}});
  OnTold(*found);
}

// keepalived sets them so that none fails; but one that an operator, or another program, has set
// before may, and keepalived takes it as it is: then nobody reaches it. On a standby it is taken
// away, so that a takeover sets it anew; not on a master, for keepalived gives way when a VIP of
// its goes (2.2.7).
void Heartbeat::LookForDuplicates(bool master) {
  const absl::StatusOr<std::vector<Vip>> found = FindDuplicates(options_.vips);
  std::string problem;
  if (found.ok() && !found->empty()) {
    const std::string all = absl::StrJoin(
        *found, ", ", [](std::string* text, const Vip& vip) { text->append(vip.address); });
    if (master) {
      problem = absl::StrCat(all,
                             " is not in use: another machine has it (dadfailed). End that, and "
                             "let the peer serve (zctl switchover), which sets it anew");
    } else {
      problem = absl::StrCat(all,
                             " was set here by somebody, and found on another machine "
                             "(dadfailed); it is taken away");
      Wrote(RemoveAddresses(*found));
    }
  }
  SetTrouble(kDuplicate, problem);
}

void Heartbeat::LookForHang() {
  using Verdict = HangWatch::Verdict;
  const bool peer_advertises = peer_adverts_.Take();
  absl::optional<Activity> activity;
  if (supervisor_.running() && supervisor_.FindVrrp()) activity = supervisor_.vrrp().Look();
  // A reload may be long work; that it takes too long is noticed by its own bound.
  if (!activity || (supervisor_.reloading() && verdict_ == Verdict::kWorks)) {
    hang_watch_.Reset();
    verdict_ = Verdict::kWorks;
    return SetHang("");
  }
  const FoundProcess& process = supervisor_.vrrp();
  const HangWatch::Sight sight{.pid = process.pid,
                               .activity = *activity,
                               .master = state_ == core::VrrpState::kMaster,
                               .aside = fault_.IsSet(),
                               .peer_advertises = peer_advertises};
  const Verdict verdict = hang_watch_.Look(sight, options_.advert_interval.duration(), Loop::Now());
  if (std::exchange(verdict_, verdict) == verdict) return;
  if (verdict == Verdict::kWorks) return SetHang("");
  const std::string problem = Describe(verdict, sight, hang_watch_.still(), process.WaitsIn());
  log::Warning("heartbeat_hung", {{"problem", problem}});
  SetHang(problem);
  if (verdict != Verdict::kMustGo) return;
  supervisor_.KillHung();
  verdict_ = Verdict::kWorks;  // as far as is known of the next one
  SetHang("");
}

void Heartbeat::SetHang(const std::string& problem) {
  if (events_ == nullptr || std::exchange(hang_, problem) == problem) return;
  events_->Report(core::ComponentReported{core::kHungKeepalived, problem});
}

void Heartbeat::Report(core::VrrpState state) {
  state_ = state;
  if (state != core::VrrpState::kMaster) announcer_.End();
  if (events_ == nullptr) return;
  uint64_t nonce = 0;
  ZC_CHECK(::getrandom(&nonce, sizeof nonce, 0) == static_cast<ssize_t>(sizeof nonce));
  events_->Report(core::VrrpReported{state, nonce});
}

void Heartbeat::SetTrouble(Trouble trouble, const std::string& problem) {
  troubles_[trouble] = problem;
  std::string first;
  for (const std::string& each : troubles_) {
    if (first.empty()) first = each;
  }
  if (events_ == nullptr || first == problem_) return;
  problem_ = first;
  events_->Report(core::ComponentReported{kComponent, first});
}

void Heartbeat::Wrote(const absl::Status& status) {
  SetTrouble(kWriting, std::string(status.message()));
}

}  // namespace zcluster::heartbeat
