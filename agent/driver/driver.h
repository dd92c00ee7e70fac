// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "agent/adapter.h"
#include "agent/core/brain.h"
#include "common/loop.h"

namespace zcluster::driver {

// The agent's one loop: event, Step, actions. What the brain orders goes to every adapter (each
// takes what is its own), but a promise waits for the disk. Report() from any thread, the rest on
// the loop.
class Driver : public EventSink {
 public:
  // All outlive the driver.
  Driver(Loop& loop, core::Brain& brain, std::vector<Adapter*> adapters);
  ~Driver() override { *alive_ = false; }

  // Starts the adapters in their order, then the brain. On an error those already started are
  // stopped again.
  absl::Status Start();
  // Stops the adapters in the opposite order; for good.
  void Stop();

  void Report(core::Event event) override;

 private:
  void OnEvent(const core::Event& event);
  void Order(const core::Action& action);
  void ReleasePromises();

  Loop& loop_;
  core::Brain& brain_;
  std::vector<Adapter*> adapters_;
  size_t started_ = 0;
  // False once stopped, or gone: what was reported before and still waits in the loop is dropped.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Loop::Registration ticks_;
  int unsynced_ = 0;                    // Persist actions not yet answered
  std::vector<core::Action> promises_;  // in order; wait for unsynced_ to become 0
};

}  // namespace zcluster::driver
