// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/agent.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"
#include "tests/sim/keepalived.h"
#include "tests/sim/link.h"
#include "tests/sim/observer.h"
#include "tests/sim/random.h"
#include "tests/sim/replication.h"

namespace zcluster::sim {

// One machine: its disk, keepalived, the files that steer it, and the agent with adapters as thin
// as the real ones. What breaks here and comes back is asked for by the method's name; nothing
// comes back by itself but keepalived, which a living agent starts again.
class Node {
 public:
  struct World {
    Clock& clock;
    Random& random;
    Observer& observer;
    std::function<void(int node, const Advert& advert)> send_advert;
    Link* link = nullptr;                // set before the first agent starts
    Replication* replication = nullptr;  // too
    const Network* network = nullptr;    // too
  };

  // `clock`: the machine's own.
  Node(int index, World& world, MachineClock clock, core::Config config);

  // Its loops and timers go by that.
  const MachineClock& clock() const { return clock_; }
  bool powered() const { return powered_; }
  const Agent* agent() const { return agent_.get(); }
  const Disk& disk() const { return disk_; }
  const Keepalived& keepalived() const { return keepalived_; }
  const TrackedFiles& files() const { return files_; }
  const core::Config& config() const { return config_; }

  // The wall clock: goes on without power.
  absl::Time wall() const { return clock_.now() + wall_ahead_; }
  void SetWallClock(absl::Duration by);
  // By how much it was ever set forward.
  absl::Duration skipped() const { return skipped_; }

  void StartAgent();  // nothing if it runs, or without power
  void CrashAgent();
  void PowerOff();
  void PowerOn();  // the machine only
  // As its own unit does at boot, before the agent.
  void StartKeepalivedAlone();
  void Deliver(const core::Event& event);
  void HangAgent(absl::Duration length) {
    if (agent_) agent_->HangFor(length);
  }
  void StallDisk(absl::Duration length) { disk_.Stall(length); }
  void HearAdvert(const Advert& advert, bool from_higher_address) {
    if (powered_) keepalived_.Receive(advert, from_higher_address);
  }
  // The node's file holds the settings of `config` (its names stay) from now on; an agent that runs
  // takes them, and keepalived with it, when its loop comes to that.
  void Configure(const core::Config& config);
  // What the machine is like from now on; an agent that runs sees it, a later one soon after it
  // starts. `ill`: no pair is ready with that.
  void SetFacts(std::vector<core::Fact> facts, bool ill);
  // What its checks say from now on; an agent that runs, or comes, hears of it soon.
  void SetChecks(std::vector<core::HealthCheck> checks);
  // Since when its agent could have told that the machine is ill.
  absl::Time ill_since() const { return ill_since_; }
  void KillChild() { keepalived_.KillChild(); }
  void KillParent() { keepalived_.KillParent(); }
  void KillBoth() { keepalived_.KillBoth(); }
  void HangKeepalived() { keepalived_.Hang(); }
  void WakeKeepalived() { keepalived_.Wake(); }
  // What an earlier life left on the machine; before its first agent starts.
  void LeaveBehind(const TrackedFiles& files, const core::Durable& durable) {
    files_ = files;
    disk_.LeaveBehind(durable);
  }

 private:
  void Perform(const core::Action& action);
  void Hears(const core::Event& event);
  void SuperviseKeepalived();
  void CloseGate();
  absl::Duration GateLeft() const;
  void ReportVrrp(core::VrrpState state);
  void LookAtFacts();
  void LookAtChecks();
  void ProbePath(uint64_t nonce);

  const int index_;
  World& world_;
  MachineClock clock_;
  core::Config config_;
  Disk disk_;
  TrackedFiles files_;
  Keepalived keepalived_;
  std::vector<core::Fact> facts_;
  std::vector<core::HealthCheck> checks_;
  absl::Time ill_since_ = absl::InfiniteFuture();
  absl::Duration wall_ahead_;
  absl::Duration skipped_;
  bool powered_ = true;
  std::unique_ptr<Agent> agent_;
  uint64_t life_ = 0;        // of the agent
  bool supervises_ = false;  // StartHeartbeat was ordered in this life
  absl::Time last_report_;   // the FIFO keeps its order
};

}  // namespace zcluster::sim
