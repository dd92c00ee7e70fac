// SPDX-License-Identifier: Apache-2.0
#include "agent/core/roles.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "agent/core/boot_gate.h"

namespace zcluster::core {
namespace {

// The address as VRRP compares it. What is no IPv4 address counts as zero; the configuration has
// checked it.
uint32_t Numeric(const std::string& address) {
  uint32_t value = 0;
  const char* at = address.data();
  const char* end = at + address.size();
  for (int part = 0; part < 4; ++part) {
    uint8_t byte = 0;
    const auto [next, error] = std::from_chars(at, end, byte);
    if (error != std::errc()) return 0;
    value = value << 8 | byte;
    at = next == end ? end : next + 1;
  }
  return value;
}

bool BothMaster(const State& state) {
  return state.vrrp == VrrpState::kMaster && state.peer.Says(Role::kMaster);
}

// Between the end of maintenance and VRRP's word for it. A FAULT in between would end replication,
// which goes on through both MAINTENANCE and BACKUP, and cost a whole new snapshot.
bool ComesBack(const State& state) {
  return state.operation && (state.operation->phase == Phase::kComingIn ||
                             state.operation->phase == Phase::kRejoining);
}

// It ends only on the disk: what an operator was told must outlive a crash, either way.
bool InMaintenance(const State& state) {
  return state.durable.maintenance || state.on_disk.maintenance;
}

}  // namespace

Role RoleOf(const State& state) {
  if (!state.vrrp) return Role::kUnknown;
  if (*state.vrrp == VrrpState::kMaster) return state.question ? Role::kBackup : Role::kMaster;
  if (state.durable.maintenance) return Role::kMaintenance;
  if (*state.vrrp == VrrpState::kBackup) return Role::kBackup;
  return ComesBack(state) ? Role::kMaintenance : Role::kFault;
}

bool Resumes(const State& state) {
  return state.role == Role::kUnknown && state.durable.own_term > Term{} &&
         state.durable.own_term == state.durable.highest_term;
}

bool NeedsNewTerm(const State& state) {
  if (state.vrrp != VrrpState::kMaster || state.question) return false;
  if (!state.peer.connected || !state.peer.told) return false;
  // A peer that is master itself is a question of yielding; one that does not know its role yet may
  // turn out to be.
  const NodeState& peer = *state.peer.told;
  if (peer.role == Role::kMaster || peer.role == Role::kUnknown) return false;
  return peer.term > state.durable.own_term || peer.own_term == state.durable.own_term;
}

Term NextTerm(const State& state) {
  return std::max(state.durable.highest_term, state.durable.own_term).Next();
}

bool LosesToPeer(const State& state) {
  if (!BothMaster(state)) return false;
  const NodeState& peer = *state.peer.told;
  if (peer.own_term != state.durable.own_term) return peer.own_term > state.durable.own_term;
  const auto priority = static_cast<uint8_t>(StandingOf(state));
  if (peer.priority != priority) return peer.priority > priority;
  return Numeric(state.config.peer_address) > Numeric(state.config.node_address);
}

absl::Duration HoldFor(const State& state, absl::Time now) {
  const Yielding& last = state.yielding;
  const bool link_lived = state.peer.since <= last.since;
  if (!link_lived || now - last.ended > kYieldAgainWithin) return absl::ZeroDuration();
  return std::clamp(2 * last.hold, kShortestHold, kLongestHold);
}

bool MayStopYielding(const State& state, absl::Time now) {
  if (state.vrrp == VrrpState::kMaster) return false;
  // Without the link, or without a master there, this node may be the last that can serve.
  return now >= state.yielding.HeldUntil() || !state.peer.Says(Role::kMaster);
}

bool HandsOver(const State& state) {
  return state.operation && state.operation->phase == Phase::kHandingOver;
}

bool MustStandAside(const State& state) {
  return InMaintenance(state) || HandsOver(state) || state.yielding.active ||
         state.boot_gate.closed;
}

std::string FaultReason(const State& state) {
  if (InMaintenance(state)) return "maintenance";
  if (HandsOver(state)) {
    return state.operation->kind == OperationKind::kEnterMaintenance ? "maintenance" : "switchover";
  }
  if (state.yielding.active) return absl::StrCat("yields to ", state.config.peer_name);
  if (state.boot_gate.closed) return std::string(kBootReason);
  return "";
}

absl::Duration FaultLease(const State& state, absl::Time now) {
  // One that is about to end is a lease already: an agent that dies between the disk and the
  // lifting must not leave it behind.
  if (state.durable.maintenance && state.on_disk.maintenance) return absl::InfiniteDuration();
  if (!state.boot_gate.closed) return kFaultLease;
  return std::max(kFaultLease, state.boot_gate.opens_at - now);
}

bool PeerStandsBy(const State& state) {
  return (state.peer.Says(Role::kBackup) || state.peer.Says(Role::kMaintenance)) &&
         state.peer.told->term >= state.durable.own_term;
}

Standing StandingOf(const State& state) {
  switch (state.role) {
    case Role::kMaster:
      return state.acknowledged ? Standing::kMaster : Standing::kPromotedAlone;
    case Role::kUnknown:
      // The agent starts, and keepalived may run as master since long. Should a split heal this
      // very moment, it must not lose for our ignorance; a standby is told apart as soon as VRRP is
      // heard.
      return Resumes(state) ? Standing::kMaster : Standing::kStandby;
    case Role::kBackup:
    case Role::kMaintenance:
    case Role::kFault:
    case Role::kUnconfigured:
      return Standing::kStandby;
  }
  return Standing::kStandby;
}

}  // namespace zcluster::core
