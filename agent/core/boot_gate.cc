// SPDX-License-Identifier: Apache-2.0
#include "agent/core/boot_gate.h"

#include "absl/strings/str_cat.h"
#include "agent/core/readiness.h"

namespace zcluster::core {
namespace {

// When both boot at once, one goes first: two that begin together would both be master for a
// moment. It is the one that served last, for it holds what the other may lack.
bool GoesFirst(const State& state) {
  const Config& config = state.config;
  const Term own = state.durable.own_term;
  const Term peers = state.peer.told->own_term;
  if (own != peers) return own > peers;
  if (!config.preferred.empty()) return config.preferred == config.node_name;
  return config.node_name < config.peer_name;
}

}  // namespace

bool MayLeaveBootGate(const State& state, absl::Time now) {
  if (now >= state.boot_gate.opens_at) return true;
  if (!state.peer.connected || !state.peer.told) return false;
  switch (state.peer.told->role) {
    case Role::kMaster:
      return HoldsAll(state);
    case Role::kFault:
      return GoesFirst(state);  // it waits as we do, or cannot serve
    case Role::kBackup:
    case Role::kMaintenance:
    case Role::kUnconfigured:
      return true;  // nobody else will serve
    case Role::kUnknown:
      return false;
  }
  return false;
}

std::string AgeOfWhatIsHeld(const Durable& durable, absl::Time wall) {
  if (durable.own_term > Term{} && durable.own_term == durable.highest_term) {
    return absl::StrCat("it was master last, in term ", durable.own_term.value,
                        ", as far as it knows");
  }
  if (durable.synchronised == absl::InfinitePast()) return "it never was synchronised";
  const std::string when =
      absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", durable.synchronised, absl::UTCTimeZone());
  // A clock that was set back meanwhile.
  if (wall < durable.synchronised) return absl::StrCat("it was last synchronised at ", when);
  return absl::StrCat(
      "it was last synchronised at ", when, ", ",
      absl::FormatDuration(absl::Trunc(wall - durable.synchronised, absl::Seconds(1))),
      " before it took part");
}

}  // namespace zcluster::core
