// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/core/state.h"

// Which of the two nodes can serve better, and must the master give way for it? Each node tells
// what its own checks say; the one of which fewer fail serves better. Pure.
namespace zcluster::core {

// So many moves by health within the window, by either node; then the master stays where it is
// until the oldest of them has left the window.
constexpr size_t kMostMoves = 3;
constexpr absl::Duration kFlapWindow = absl::Minutes(10);
// The pause after a move that did not succeed.
constexpr absl::Duration kMovePause = absl::Seconds(30);

// What fails, one sentence each.
std::vector<std::string> Failing(const std::vector<HealthCheck>& checks);

// Fewer checks of the peer fail, as far as it has told, than of this node; or the other way round.
// Where as many fail on both no move makes it better. What fails here counts once the peer has a
// result of it, too: one whose agent has just started may see the same fault in a moment.
bool IsWorse(const State& state);
bool PeerIsWorse(const State& state);

// One more move would be flapping.
bool MovesAreHeld(const State& state, absl::Time now);

enum class Better {
  kStay,     // this node serves as well as its peer, or nobody else could
  kWait,     // until it is sure that the peer does not see the same fault
  kFrozen,   // it would move, but automatic decisions are suspended
  kHeld,     // it would move, but has too often
  kGiveWay,  // to the peer
};

// What a master does about it. The peer must stand by: the last node that can serve, however badly,
// goes on.
Better JudgeHealth(const State& state, absl::Time now);

// The preconditions of a failover that health is: what fails on the standby, but not on the master,
// keeps it from taking over; whatever else fails somebody should look at.
std::vector<Precondition> HealthPreconditions(const State& state);

// `told` replaces `own`: see Freeze.
bool Prevails(const Freeze& told, const Freeze& own);

}  // namespace zcluster::core
