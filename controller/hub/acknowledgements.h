// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "absl/time/time.h"
#include "common/loop.h"
#include "controller/core/ids.h"

namespace zcluster::controller {

// Tells agents what of their events is on the disk. Not of each batch at once: where thousands of
// agents tell one event now and then, a message back for each would be a third of all work, on both
// sides. What is told late costs an agent nothing but room; an agent that tells much is told at
// once. Loop thread.
class Acknowledgements {
 public:
  // An agent may have four batches under way (fleet_link.proto): so the third must not wait.
  static constexpr int kBatches = 3;
  // Nor must so many events.
  static constexpr size_t kEvents = 16;

  using Send = std::function<void(const AgentId&, uint64_t taken)>;
  // None waits longer than `within`; zero: none waits. `loop` outlives this.
  Acknowledgements(Loop& loop, absl::Duration within, Send send)
      : loop_(loop), within_(within), send_(std::move(send)) {}

  // A batch of so many events, up to this number, is on the disk.
  void Taken(const AgentId& agent, uint64_t number, size_t events);
  // The agent is gone. It hears of it when it is back.
  void Forget(const AgentId& agent) { owed_.erase(agent); }

 private:
  struct Owed {
    uint64_t number = 0;
    int batches = 0;
    size_t events = 0;
  };
  struct Due {
    absl::Time when;
    AgentId agent;
  };
  void SendDue();

  Loop& loop_;
  const absl::Duration within_;
  const Send send_;
  std::map<AgentId, Owed> owed_;
  std::deque<Due> due_;  // at most one a batch of the last while; in order
  Loop::Registration timer_;
};

}  // namespace zcluster::controller
