// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/keepalived.h"

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace zcluster::sim {

using core::VrrpState;

Keepalived::Keepalived(MachineClock clock, Random& random, TrackedFiles& files,
                       absl::Duration advert_interval, World world)
    : clock_(clock),
      random_(random),
      files_(files),
      advert_interval_(advert_interval),
      world_(std::move(world)) {}

void Keepalived::Start() {
  ZC_CHECK(!running());
  holds_vips_ = false;  // it never adopts: stale addresses go at once
  priority_ = files_.priority;
  Become(files_.fault ? VrrpState::kFault : VrrpState::kBackup);
  WatchLease();
}

void Keepalived::WatchLease() {
  if (!files_.fault || files_.lease_ends == absl::InfiniteFuture()) return;
  const absl::Time looks = std::max(files_.lease_ends, clock_.now()) +
                           random_.Between(absl::ZeroDuration(), absl::Seconds(1));
  clock_.At(looks, [this] {
    if (!running() || !files_.fault || clock_.now() < files_.lease_ends) return;
    files_.fault = false;
    NoticeFiles();
  });
}

void Keepalived::Hang() {
  if (state_ != VrrpState::kDown) hangs_ = true;
}

void Keepalived::Wake() {
  if (!std::exchange(hangs_, false)) return;
  for (const std::function<void()>& run : std::exchange(missed_, {})) run();
}

void Keepalived::WhenAwake(std::function<void()> run) {
  if (hangs_) {
    missed_.push_back(std::move(run));
  } else {
    run();
  }
}

void Keepalived::Become(VrrpState state) {
  ++life_;
  state_ = state;
  timer_runs_ = false;
  respawning_ = false;
  if (state != VrrpState::kDown) holds_vips_ = state == VrrpState::kMaster;
  if (state == VrrpState::kBackup) WaitForMaster(Patience(advert_interval_));
  if (state == VrrpState::kMaster) Advertise(life_);
  world_.changed(state);
}

void Keepalived::Advertise(uint64_t life) {
  if (life != life_) return;
  if (hangs_) return WhenAwake([this, life] { Advertise(life); });
  Send(priority_);
  clock_.After(advert_interval_, [this, life] { Advertise(life); });
}

void Keepalived::WaitForMaster(absl::Duration patience) {
  const absl::Time due = clock_.now() + patience;
  const bool sooner = due < master_down_at_;
  master_down_at_ = due;
  // A timer that rings early looks again, so that an advert costs no timer; one that would ring
  // late is no use.
  if (timer_runs_ && !sooner) return;
  timer_runs_ = true;
  clock_.At(due, [this, life = life_] { OnPatienceOver(life); });
}

void Keepalived::OnPatienceOver(uint64_t life) {
  if (life != life_) return;
  if (hangs_) return WhenAwake([this, life] { OnPatienceOver(life); });
  if (clock_.now() < master_down_at_) {
    clock_.At(master_down_at_, [this, life] { OnPatienceOver(life); });
    return;
  }
  Become(VrrpState::kMaster);
}

void Keepalived::NoticeFiles() {
  if (state_ == VrrpState::kDown) return;
  clock_.After(random_.Between(absl::Microseconds(700), absl::Microseconds(2700)),
               [this] { WhenAwake([this] { ReadFiles(); }); });
}

void Keepalived::ReadFiles() {
  if (state_ == VrrpState::kDown) return;
  priority_ = files_.priority;
  if (files_.fault && state_ != VrrpState::kFault) {
    const bool served = state_ == VrrpState::kMaster;
    Become(VrrpState::kFault);
    if (served) Send(0);
  } else if (!files_.fault && state_ == VrrpState::kFault) {
    Become(VrrpState::kBackup);
  }
}

void Keepalived::Reload(absl::Duration advert_interval) {
  if (hangs_) return WhenAwake([this, advert_interval] { Reload(advert_interval); });
  advert_interval_ = advert_interval;
  if (state_ == VrrpState::kBackup) WaitForMaster(Patience(advert_interval_));
  if (state_ == VrrpState::kMaster) Advertise(++life_);  // its timers begin anew
}

void Keepalived::Receive(const Advert& advert, bool from_higher_address) {
  if (hangs_) {
    return WhenAwake([this, advert, from_higher_address] { Receive(advert, from_higher_address); });
  }
  const auto [priority, interval] = advert;
  if (state_ == VrrpState::kBackup) {
    // Under nopreempt any advert but a farewell keeps it waiting.
    WaitForMaster(priority == 0 ? Skew(interval) : Patience(interval));
  } else if (state_ == VrrpState::kMaster) {
    if (priority > priority_ || (priority == priority_ && from_higher_address)) {
      Become(VrrpState::kBackup);
    } else {
      Send(priority_);
    }
  }
}

void Keepalived::KillChild() {
  if (state_ == VrrpState::kDown) return;
  // The VIPs stay until the new child is up, and nobody hears a farewell.
  Forget();
  Become(VrrpState::kDown);
  respawning_ = true;
  clock_.After(random_.Between(absl::Milliseconds(25), absl::Milliseconds(140)),
               [this, life = life_] {
                 if (life != life_) return;
                 respawning_ = false;
                 Start();
               });
}

void Keepalived::KillParent() {
  if (!running()) return;
  if (hangs_) return KillBoth();  // a child that is stopped does not see its parent die
  if (state_ == VrrpState::kMaster) Send(0);
  holds_vips_ = false;
  End();
}

void Keepalived::KillBoth() {
  if (!running()) return;
  End();
}

void Keepalived::Forget() {
  hangs_ = false;
  missed_.clear();
}

void Keepalived::End() {
  Forget();
  Become(VrrpState::kDown);
  world_.died();
}

void Keepalived::PowerCut() {
  ++life_;
  Forget();
  state_ = VrrpState::kDown;
  respawning_ = false;
  holds_vips_ = false;
}

}  // namespace zcluster::sim
