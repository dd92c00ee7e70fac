// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/core/state.h"

// How does the operation under way go on? Pure: brain.cc makes the moves.
namespace zcluster::core {

// Bounds of the phases; that of handing over depends on the advert interval, see PhaseBound().
constexpr absl::Duration kFlushBound = absl::Seconds(10);
constexpr absl::Duration kVrrpBound =
    absl::Seconds(10);  // keepalived reads a tracked file within milliseconds
// A standby that hears a master is one still after so many down timers.
constexpr int kHearsAMaster = 2;
constexpr absl::Duration kSynchroniseBound = absl::Seconds(60);
// What a takeover may cost beyond the timers of VRRP: a peer whose disk or loop is slow to say that
// it is master.
constexpr absl::Duration kTakeoverAllowance = absl::Seconds(5);

// What comes next: steps that are done now, and then a new phase, or the end, or neither (it
// waits).
struct Move {
  std::vector<std::string> done;
  std::optional<Phase> next;
  std::optional<absl::Status> end;
};

// The longest that `phase` lasts. Waiting for the own disk has no bound: nothing that depends on it
// could be told anyway.
absl::Duration PhaseBound(const State& state, Phase phase);

// The phase in which an operation that may begin does so.
Phase FirstPhase(const State& state, const Operation& operation);

// Requires state.operation.
Move NextMove(const State& state, absl::Time now);

}  // namespace zcluster::core
