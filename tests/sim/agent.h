// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "agent/core/brain.h"
#include "tests/sim/clock.h"
#include "tests/sim/disk.h"

namespace zcluster::sim {

// One life of an agent: a brain and the loop around it, with the driver's rule that a promise waits
// for the disk.
class Agent {
 public:
  struct World {
    std::function<void(const core::Action& action)> perform;  // all but Persist
    std::function<void(const core::Event& event)> hears;      // before each step
    std::function<absl::Time()> wall;
  };

  // `disk` and what `world` names outlive it.
  Agent(MachineClock clock, Disk& disk, core::Config config, World world);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Begins to run; apart from the constructor, because the world is asked at once.
  void Start();
  // Something happened. A hung agent hears of it later, in order.
  void Deliver(const core::Event& event);
  void HangFor(absl::Duration length);
  bool hung() const { return hung_; }

  const core::State& state() const { return brain_.state(); }
  uint64_t steps() const { return steps_; }

 private:
  void Step(const core::Event& event);
  void Drain();
  void Tick();

  MachineClock clock_;
  Disk& disk_;
  World world_;
  core::Brain brain_;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // what was posted to a dead one is dropped
  bool hung_ = false;
  absl::Time hung_until_ = absl::InfinitePast();
  std::deque<core::Event> inbox_;
  bool stepping_ = false;
  int unsynced_ = 0;
  std::vector<core::Action> promises_;
  uint64_t steps_ = 0;
};

}  // namespace zcluster::sim
