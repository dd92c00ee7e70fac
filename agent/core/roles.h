// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/time/time.h"
#include "agent/core/state.h"

// Who should be master? keepalived elects; here is what that makes of this node, which term it
// serves in, and when it must give way. Pure.
namespace zcluster::core {

// A second time within this, while the link lived, means that the peer's adverts do not arrive:
// then giving way and coming back would go on for ever, and each round costs the clients something.
constexpr absl::Duration kYieldAgainWithin = absl::Minutes(1);
// So the fault is held, twice as long each time, within these bounds.
constexpr absl::Duration kShortestHold = absl::Seconds(10);
constexpr absl::Duration kLongestHold = absl::Seconds(160);

// What VRRP's state and the maintenance make of this node. One that has taken over is BACKUP still
// while it asks its peer (question.h).
Role RoleOf(const State& state);

// A node that was found as master when the agent started, and has heard of no later term, goes on
// in its own.
bool Resumes(const State& state);

// A master whose peer is not master, but knows a later term or had the same one, must take a new
// one: else what it sends is refused as old, or two masters shared a term.
bool NeedsNewTerm(const State& state);

// Above all that this node and its peer have ever told each other.
Term NextTerm(const State& state);

// Both are master over a living link and this one loses: by the lower term (the other announced
// last, and so has the clients), then the lower priority, then the lower address, as VRRP would.
bool LosesToPeer(const State& state);

// How long to hold the fault of a yielding that begins at `now`: zero, unless it has just happened
// before.
absl::Duration HoldFor(const State& state, absl::Time now);

// May the fault of yielding end? At once when VRRP has let go, unless held; a hold ends with what
// it waits for.
bool MayStopYielding(const State& state, absl::Time now);

// Stands aside so that the peer takes over, as somebody asked.
bool HandsOver(const State& state);

// Must this node not be master now?
bool MustStandAside(const State& state);

// Why it must not; empty if it may.
std::string FaultReason(const State& state);

// A FAULT that is not ordered anew ends after this: an agent that died, or hangs, must not keep its
// node from serving. Ordered anew at each beat, so one that is busy for some seconds loses nothing.
constexpr absl::Duration kFaultLease = absl::Seconds(5);

// How long the fault that FaultReason() wants may last without being ordered anew. Infinite only
// for a maintenance that is on the disk, and shall stay there. The boot gate's lasts as
// long as the gate may stay closed.
absl::Duration FaultLease(const State& state, absl::Time now);

// Has the peer told that it stands by, in our term or a later one?
bool PeerStandsBy(const State& state);

// What VRRP shall tell of the last promotion.
Standing StandingOf(const State& state);

}  // namespace zcluster::core
