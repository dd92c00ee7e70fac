// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/agent.h"

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace zcluster::sim {

Agent::Agent(MachineClock clock, Disk& disk, core::Config config, World world)
    : clock_(clock),
      disk_(disk),
      world_(std::move(world)),
      brain_(std::move(config), disk.content()) {}

Agent::~Agent() {
  ZC_CHECK(!stepping_);  // it would die under its own feet
  *alive_ = false;
}

void Agent::Start() {
  Deliver(core::Started{});
  Tick();
}

void Agent::Tick() {
  clock_.After(absl::Milliseconds(100), [this, alive = alive_] {
    if (!*alive) return;
    if (!hung()) Deliver(core::Ticked{world_.wall()});
    Tick();
  });
}

void Agent::Deliver(const core::Event& event) {
  // An adapter may answer an action at once; the loop takes that up after the step.
  if (stepping_ || hung() || !inbox_.empty()) {
    inbox_.push_back(event);
    if (!stepping_ && !hung()) Drain();
    return;
  }
  stepping_ = true;
  Step(event);
  stepping_ = false;
  Drain();
}

void Agent::HangFor(absl::Duration length) {
  hung_ = true;
  hung_until_ = std::max(hung_until_, clock_.now() + length);
  clock_.At(hung_until_, [this, alive = alive_] {
    if (!*alive || clock_.now() < hung_until_) return;
    hung_ = false;
    Drain();
  });
}

void Agent::Drain() {
  if (inbox_.empty()) return;
  stepping_ = true;
  while (!inbox_.empty()) {
    const core::Event event = std::move(inbox_.front());
    inbox_.pop_front();
    Step(event);
  }
  stepping_ = false;
}

void Agent::Step(const core::Event& event) {
  ++steps_;
  world_.hears(event);
  if (std::holds_alternative<core::Persisted>(event) && --unsynced_ == 0) {
    for (const core::Action& promise : std::exchange(promises_, {})) world_.perform(promise);
  }
  for (core::Action& action : brain_.Step(event, clock_.now())) {
    if (const auto* persist = std::get_if<core::Persist>(&action)) {
      ++unsynced_;
      disk_.Write(persist->durable, [this, alive = alive_] {
        if (*alive) Deliver(core::Persisted{});
      });
    }
    if (unsynced_ > 0 && core::IsPromise(action)) {
      promises_.push_back(std::move(action));
    } else {
      world_.perform(action);
    }
  }
}

}  // namespace zcluster::sim
