// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "agent/core/types.h"
#include "tests/sim/clock.h"
#include "tests/sim/random.h"

namespace zcluster::sim {

// The files that steer keepalived. On the disk of the machine: they outlive everything.
struct TrackedFiles {
  bool fault = false;
  absl::Time lease_ends = absl::InfinitePast();  // of the fault; InfiniteFuture: never
  bool gate = false;                             // it is a boot's
  uint8_t priority = 252;
};

// What a master says each interval. A backup goes by the interval that it hears, as VRRPv3 wants
// it.
struct Advert {
  uint8_t priority = 0;  // 0 says farewell
  absl::Duration interval;
};

// One keepalived as we configure it: VRRPv3, one instance, `state BACKUP`, `nopreempt`, FAULT and
// priority by tracked files. Its timers and reactions are those measured on the real one
// (version 2.2.7).
class Keepalived {
 public:
  struct World {
    std::function<void(const Advert& advert)> send_advert;  // to the peer
    std::function<void(core::VrrpState state)> changed;     // as the notify FIFO tells
    std::function<void()> died;                             // as a pidfd tells
  };

  Keepalived(MachineClock clock, Random& random, TrackedFiles& files,
             absl::Duration advert_interval, World world);

  core::VrrpState state() const { return state_; }
  // A crash of all its processes leaves the VIPs where they are, until the next start.
  bool holds_vips() const { return holds_vips_; }
  bool running() const { return state_ != core::VrrpState::kDown || respawning_; }
  absl::Duration advert_interval() const { return advert_interval_; }

  void Start();  // must not be running
  // The script that it runs each second ends a fault whose lease is over. Whoever sets a fault
  // calls this, too: it looks once the lease should be.
  void WatchLease();
  void NoticeFiles();  // inotify: they are read a moment later
  // SIGHUP with another interval. A master tells it at once; a backup goes by its own until it
  // hears an advert, so it takes over for a moment if its master still is much slower.
  void Reload(absl::Duration advert_interval);
  void Receive(const Advert& advert, bool from_higher_address);
  void KillChild();   // the parent starts another at once
  void KillParent();  // the child says farewell and goes
  void KillBoth();    // nobody says anything
  // SIGSTOP of the child: it does nothing, and the VIPs stay. SIGCONT: its timers are due, and what
  // it was sent meanwhile is read. The parent, which ends leases, does not hang.
  void Hang();
  void Wake();
  bool hangs() const { return hangs_; }
  void PowerCut();

 private:
  void Become(core::VrrpState state);
  // Now, or once it is awake.
  void WhenAwake(std::function<void()> run);
  void Advertise(uint64_t life);
  void ReadFiles();
  void WaitForMaster(absl::Duration patience);
  void OnPatienceOver(uint64_t life);
  void Forget();  // what a stopped child missed: it is dead
  void End();
  void Send(uint8_t priority) { world_.send_advert({priority, advert_interval_}); }
  absl::Duration Skew(absl::Duration interval) const { return (256 - priority_) * interval / 256; }
  absl::Duration Patience(absl::Duration interval) const { return 3 * interval + Skew(interval); }

  MachineClock clock_;
  Random& random_;
  TrackedFiles& files_;
  absl::Duration advert_interval_;
  World world_;

  core::VrrpState state_ = core::VrrpState::kDown;
  bool respawning_ = false;
  bool holds_vips_ = false;
  bool hangs_ = false;
  std::vector<std::function<void()>> missed_;  // while it hung
  uint8_t priority_ = 252;
  uint64_t life_ =
      0;  // of the process; also ends with each change of state, so that its timers die
  absl::Time master_down_at_ = absl::InfiniteFuture();
  bool timer_runs_ = false;
};

}  // namespace zcluster::sim
