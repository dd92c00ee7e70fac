// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "agent/core/action.h"
#include "agent/core/state.h"

namespace zcluster::core {

// How often the peer hears of this node although nothing changed, and counters are shown anew.
constexpr absl::Duration kBeat = absl::Seconds(1);

// What was ordered last. What a node should do follows from its state alone, so an order is given
// when that differs from the last one: none is forgotten, and none is repeated. Owned by the brain.
class Orders {
 public:
  // Gives up or takes back the right to VRRP: first of all, for it is what clients wait for. Renews
  // the lease of a fault at each beat, also when nothing changed.
  void GiveFault(const State& state, bool changed, absl::Time now, std::vector<Action>& out);
  // What tells of the role and the term.
  void GiveRole(const State& state, std::vector<Action>& out);
  // Lets commands go on that were held for a hand-over.
  void GiveRelease(const State& state, std::vector<Action>& out);
  // A Flush holds them from now on.
  void HoldCommands() { commands_held_ = true; }
  // Starts keepalived, once.
  void GiveStart(std::vector<Action>& out);
  // Tells the peer and the API. `changed`: the state may differ from the last time.
  void GiveTidings(const State& state, bool changed, absl::Time now, std::vector<Action>& out);
  // A new link knows nothing of us yet.
  void ForgetPeer() { told_ = false; }

 private:
  void LookAt(const State& state);

  std::optional<std::string> fault_;
  bool lasting_ = false;  // the fault is no lease
  absl::Time renew_at_ = absl::InfiniteFuture();
  std::optional<Standing> standing_;
  std::optional<AssumeRole> assumed_;
  bool started_ = false;
  bool commands_held_ = false;
  // As the state stood when it last changed, and whether that was told and shown: but for counters,
  // which wait for the beat.
  NodeState node_;
  View view_;
  bool told_ = false;
  bool shown_ = false;
  bool counted_ = false;  // the counters of `view_` were shown, too
  absl::Time next_beat_ = absl::InfinitePast();
};

}  // namespace zcluster::core
