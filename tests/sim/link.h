// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "agent/core/event.h"
#include "tests/sim/clock.h"
#include "tests/sim/network.h"
#include "tests/sim/random.h"

namespace zcluster::sim {

// The peer link: a stream that keeps its order and loses nothing while it lives, whose death either
// side notices on its own, by being told or by silence. Node 0 dials. A side may believe in a link
// that the other has given up.
class Link {
 public:
  struct Side {
    std::function<void(const core::Event& event)> report;
    std::function<bool()> alive;  // its agent runs
    MachineClock clock;           // of its machine
  };

  Link(Clock& clock, Random& random, const Network& network, std::array<Side, 2> sides);

  // Both ends believe in the same connection.
  bool Lives() const { return connection_[0] != 0 && connection_[0] == connection_[1]; }
  bool Believes(int node) const { return connection_[Index(node)] != 0; }

  void Send(int node, const core::NodeState& state);
  // What the peer hears of a question, or of an answer.
  void Send(int node, core::Event word);
  // The agent of `node` ended. Its kernel tells the peer, unless the power failed.
  void AgentDied(int node, bool power_cut);
  // A wire was repaired: what TCP still holds arrives.
  void WireRepaired();

 private:
  struct Message {
    uint64_t connection;
    core::Event word;
  };
  static size_t Index(int node) { return static_cast<size_t>(node); }

  void Dial();
  void Connect();
  void Lose(int node, uint64_t connection, const std::string& reason);
  void TellOfEnd(int node, uint64_t connection, const std::string& reason);
  void Arrive(int to, Message message);
  void WatchSilence(int node, uint64_t connection);

  Clock& clock_;
  Random& random_;
  const Network& network_;
  std::array<Side, 2> sides_;
  uint64_t connections_ = 0;
  bool connecting_ = false;
  std::array<uint64_t, 2> connection_ = {0, 0};  // as each side believes; 0: none
  std::array<core::Term, 2> told_term_;          // by the last message: what a hello says
  std::array<absl::Time, 2> last_arrival_;       // order is kept
  std::array<absl::Time, 2> last_heard_;         // by each machine's own clock
  std::array<std::vector<Message>, 2> stuck_;    // on a cut wire, by receiver
};

}  // namespace zcluster::sim
