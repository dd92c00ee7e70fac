// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "agent/core/types.h"
#include "tests/sim/clock.h"
#include "tests/sim/random.h"

namespace zcluster::sim {

// The files that steer keepalived. On the disk of the machine: they outlive everything.
struct TrackedFiles {
  bool fault = false;
  uint8_t priority = 252;
};

// One keepalived as we configure it: VRRPv3, one instance, `state BACKUP`, `nopreempt`, FAULT and
// priority by tracked files. Its timers and reactions are those measured on the real one
// (version 2.2.7).
class Keepalived {
 public:
  struct World {
    std::function<void(uint8_t priority)> send_advert;   // to the peer; 0 says farewell
    std::function<void(core::VrrpState state)> changed;  // as the notify FIFO tells
    std::function<void()> died;                          // as a pidfd tells
  };

  Keepalived(Clock& clock, Random& random, const TrackedFiles& files,
             absl::Duration advert_interval, World world);

  core::VrrpState state() const { return state_; }
  // A crash of all its processes leaves the VIPs where they are, until the next start.
  bool holds_vips() const { return holds_vips_; }
  bool running() const { return state_ != core::VrrpState::kDown || respawning_; }

  void Start();        // must not be running
  void NoticeFiles();  // inotify: they are read a moment later
  void Receive(uint8_t priority, bool from_higher_address);
  void KillChild();   // the parent starts another at once
  void KillParent();  // the child says farewell and goes
  void KillBoth();    // nobody says anything
  void PowerCut();

 private:
  void Become(core::VrrpState state);
  void BecomeMaster(uint64_t life);
  void Advertise(uint64_t life);
  void ReadFiles();
  void WaitForMaster(absl::Duration patience);
  void OnPatienceOver(uint64_t life);
  void End();
  absl::Duration Skew() const { return (256 - priority_) * advert_interval_ / 256; }
  absl::Duration Patience() const { return 3 * advert_interval_ + Skew(); }

  Clock& clock_;
  Random& random_;
  const TrackedFiles& files_;
  const absl::Duration advert_interval_;
  World world_;

  core::VrrpState state_ = core::VrrpState::kDown;
  bool respawning_ = false;
  bool holds_vips_ = false;
  uint8_t priority_ = 252;
  uint64_t life_ =
      0;  // of the process; also ends with each change of state, so that its timers die
  absl::Time master_down_at_ = absl::InfiniteFuture();
  bool timer_runs_ = false;
};

}  // namespace zcluster::sim
