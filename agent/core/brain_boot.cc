// SPDX-License-Identifier: Apache-2.0
// What the brain does about a boot: the gate, and what is known of the age of what the node holds.
#include <algorithm>

#include "absl/strings/str_join.h"
#include "agent/core/boot_gate.h"
#include "agent/core/brain.h"
#include "agent/core/readiness.h"
#include "agent/core/roles.h"

namespace zcluster::core {

bool Brain::Apply(const VrrpStarting& event) {
  if (state_.boot_gate.closed) return false;
  state_.boot_gate = {.closed = true, .opens_at = now_ + std::min(event.aside, kBootGate)};
  return true;
}

bool Brain::IsInStep() const { return state_.role != Role::kMaster && HoldsAll(state_); }

bool Brain::DecideBootGate() {
  if (!state_.boot_gate.closed || !MayLeaveBootGate(state_, now_)) return false;
  state_.boot_gate.closed = false;
  const std::vector<std::string> missing = MissingHere(state_);
  const bool late = now_ >= state_.boot_gate.opens_at;
  if (late) state_.unproven = AgeOfWhatIsHeld(state_.durable, WallClock());
  Log("boot_gate_opened",
      {{"cause", late                             ? "waited long enough"
                 : state_.peer.Says(Role::kFault) ? "goes before the peer, which stands aside too"
                                                  : "the peer has said how it is"},
       {"missing", missing.empty() ? "nothing" : absl::StrJoin(missing, "; ")},
       {"holds", late ? state_.unproven : "what the peer holds"}},
      /*warning=*/late);
  return true;
}

// Beside what changed, but it need not be exact: a write a minute, and only while it stands by.
bool Brain::NoteSynchronised() {
  constexpr absl::Duration kEvery = absl::Minutes(1);
  const bool proven = !state_.unproven.empty() &&
                      (PeerStandsBy(state_) || (state_.peer.Says(Role::kMaster) && IsInStep()));
  if (proven) state_.unproven.clear();
  const absl::Time wall = state_.wall;
  absl::Time& noted = state_.durable.synchronised;
  if (wall == absl::InfinitePast() || (wall >= noted && wall < noted + kEvery)) return proven;
  if (!state_.peer.Says(Role::kMaster) || !IsInStep()) return proven;
  noted = wall;
  return true;
}

}  // namespace zcluster::core
