// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "agent/core/action.h"
#include "agent/core/event.h"

// All that rooms share besides the core.
namespace zcluster {

// Where adapters report what happened.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Hands `event` to the brain, on the loop, in the order of the calls. May be called from any
  // thread; never blocks.
  virtual void Report(core::Event event) = 0;
};

// One part of the world: turns what happens there into events, and carries out actions there.
class Adapter {
 public:
  virtual ~Adapter() = default;
  // Begins to watch, without waiting for the world's answer: that comes as events. An error means
  // that the agent cannot run (a missing program, a refused socket), and names the remedy. Called
  // on the loop, once; `events` outlives Stop().
  virtual absl::Status Start(EventSink& events) = 0;
  // Carries out `action`; one that is not for this adapter is ignored. Called on the loop, in the
  // brain's order; must not block. Its outcome is an event.
  virtual void Perform(const core::Action& action) = 0;
  // Ends our threads and helpers; keepalived and the services live on. No event follows its return.
  virtual void Stop() = 0;
};

}  // namespace zcluster
