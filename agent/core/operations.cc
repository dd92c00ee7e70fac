// SPDX-License-Identifier: Apache-2.0
#include "agent/core/operations.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/core/maintenance.h"
#include "agent/core/maintenance_time.h"
#include "agent/core/names.h"
#include "agent/core/readiness.h"
#include "common/check.h"

namespace zcluster::core {
namespace {

Move End(absl::Status status) { return {{}, std::nullopt, std::move(status)}; }
Move Done(std::string step) { return {{std::move(step)}, std::nullopt, absl::OkStatus()}; }
Move Next(std::string step, Phase phase) { return {{std::move(step)}, phase, std::nullopt}; }
Move Next(Phase phase) { return {{}, phase, std::nullopt}; }

std::string VrrpText(const State& state) {
  return absl::StrCat("keepalived on ", state.config.node_name, " says ",
                      state.vrrp ? Name(*state.vrrp) : "nothing");
}

std::string PeerText(const State& state) {
  const std::string& peer = state.config.peer_name;
  if (!state.peer.connected) return absl::StrCat(peer, " is unreachable: ", state.peer.problem);
  if (!state.peer.told) return absl::StrCat(peer, " has not said how it is");
  return absl::StrCat(peer, " says ", Name(state.peer.told->role), " in term ",
                      state.peer.told->own_term.value);
}

// When its phase did.
absl::Time Began(const State& state, const Operation& operation) {
  return operation.deadline - PhaseBound(state, operation.phase);
}

// After the flush: a master that goes out by force with nobody to hand over to need not wait for
// anybody.
Phase AfterFlushing(const State& state, const Operation& operation) {
  const bool alone = operation.force && !state.peer.connected;
  return alone && operation.kind == OperationKind::kEnterMaintenance ? Phase::kGoingOut
                                                                     : Phase::kHandingOver;
}

// "flows and commands": what the peer has not acknowledged yet.
std::string Awaited(const Operation& operation) {
  std::vector<absl::string_view> names;
  if (operation.awaits_flows) names.push_back(Name(Replicator::kConntrack));
  if (operation.awaits_files) names.push_back(Name(Replicator::kConfig));
  if (operation.awaits_commands) names.push_back(Name(Replicator::kCommands));
  return absl::StrJoin(names, " and ");
}

Move WhileFlushing(const State& state, const Operation& operation, absl::Time now) {
  const std::string& peer = state.config.peer_name;
  if (state.role != Role::kMaster) {
    return End(absl::AbortedError(absl::StrCat(state.config.node_name, " is no longer master, but ",
                                               Name(state.role), "; nothing was done")));
  }
  if (!state.peer.connected) {
    if (operation.force) return Next(AfterFlushing(state, operation));
    return End(absl::AbortedError(absl::StrCat(
        "the link to ", peer, " was lost: ", state.peer.problem, "; nothing was done")));
  }
  const std::string awaited = Awaited(operation);
  if (awaited.empty()) {
    if (operation.GoesOnAnyway()) return Next(AfterFlushing(state, operation));
    // It was when this began, and the flush may have taken seconds.
    const std::vector<std::string> reasons = NotReady(state);
    if (reasons.empty())
      return Next(absl::StrCat(peer, " holds all, and is ready still"),
                  AfterFlushing(state, operation));
    if (now < operation.deadline) return {};
    return End(absl::AbortedError(absl::StrCat(
        peer, " is no longer ready: ", absl::StrJoin(reasons, "; "), "; nothing was done")));
  }
  if (now < operation.deadline) return {};
  const std::string missing = absl::StrCat(peer, " has not acknowledged all ", awaited, " within ",
                                           absl::FormatDuration(kFlushBound));
  if (operation.GoesOnAnyway())
    return Next(absl::StrCat(missing, "; going on", operation.force ? " by force" : ""),
                AfterFlushing(state, operation));
  return End(absl::DeadlineExceededError(absl::StrCat(missing, "; nothing was done")));
}

Phase AfterHandingOver(const Operation& operation) {
  return operation.kind == OperationKind::kEnterMaintenance ? Phase::kGoingOut : Phase::kReturning;
}

// The fault is set meanwhile, so an end of any kind lifts it and both nodes are eligible again.
Move WhileHandingOver(const State& state, const Operation& operation, absl::Time now) {
  const Config& config = state.config;
  const bool let_go = state.vrrp && *state.vrrp != VrrpState::kMaster;
  const bool taken =
      state.peer.Says(Role::kMaster) && state.peer.told->own_term > state.durable.own_term;
  if (let_go && taken) {
    return Next(
        absl::StrCat(config.peer_name, " is master (term ", state.peer.told->own_term.value, ")"),
        AfterHandingOver(operation));
  }
  const bool goes_anyway = operation.force && operation.kind == OperationKind::kEnterMaintenance;
  if (!operation.force && (state.peer.Says(Role::kMaintenance) || state.peer.Says(Role::kFault))) {
    // Standing aside for a node that cannot serve would leave nobody.
    return End(absl::AbortedError(
        absl::StrCat("undone: ", config.peer_name, " cannot take over: it is ",
                     Name(state.peer.told->role), " now: ", state.peer.told->message)));
  }
  absl::Time deadline = operation.deadline;
  // Unseen, a peer that lives has taken over within its down timer; one that died never will.
  if (!state.peer.connected && !goes_anyway) {
    const absl::Time unseen_since = std::max(state.peer.since, Began(state, operation));
    deadline = std::min(deadline, unseen_since + config.MasterDownInterval());
  }
  if (now < deadline) return {};
  if (!state.peer.connected && let_go && operation.kind == OperationKind::kSwitchover) {
    return Next(absl::StrCat(PeerText(state), "; sees by VRRP who serves"), Phase::kReturning);
  }
  if (goes_anyway) {
    return Next(absl::StrCat(PeerText(state), "; going out by force"), Phase::kGoingOut);
  }
  return End(absl::DeadlineExceededError(absl::StrCat(
      "undone: ", config.peer_name, " was not seen to take over in time: ", VrrpText(state), ", ",
      PeerText(state))));
}

Move WhileReturning(const State& state, const Operation& operation, absl::Time now) {
  const std::string& node = state.config.node_name;
  if (state.vrrp == VrrpState::kBackup) {
    if (state.peer.Says(Role::kMaster)) return Done(absl::StrCat(node, " stands by"));
    // Nobody says that it serves. A standby that hears no master becomes one.
    if (now < Began(state, operation) + kHearsAMaster * state.config.MasterDownInterval())
      return {};
    return Done(absl::StrCat(node, " stands by, and hears a master"));
  }
  if (state.vrrp == VrrpState::kMaster) {
    return End(
        absl::AbortedError(absl::StrCat(node, " became master again at once: ", PeerText(state))));
  }
  if (now < operation.deadline) return {};
  return End(absl::DeadlineExceededError(
      absl::StrCat(state.config.peer_name, " serves, but ", VrrpText(state))));
}

Move WhileGoingOut(const State& state, const Operation& operation, absl::Time now) {
  if (!state.on_disk.maintenance) return {};
  const std::string& node = state.config.node_name;
  if (state.vrrp == VrrpState::kFault || state.vrrp == VrrpState::kDown) {
    return Done(absl::StrCat(node, " is ", MaintenanceText(state.durable)));
  }
  if (now < operation.deadline) return {};
  return End(absl::DeadlineExceededError(
      absl::StrCat(node, " is in maintenance from now on, but ", VrrpText(state))));
}

Move WhileSynchronising(const State& state, const Operation& operation, absl::Time now) {
  const std::string& peer = state.config.peer_name;
  if (!MustSynchroniseFirst(state)) {
    if (state.peer.Says(Role::kMaster))
      return Next(absl::StrCat("synchronised with ", peer), Phase::kComingIn);
    return Next(absl::StrCat("no master to synchronise with: ", PeerText(state)), Phase::kComingIn);
  }
  if (operation.force) {
    return Next(
        absl::StrCat("going on by force without: ", absl::StrJoin(MissingHere(state), "; ")),
        Phase::kComingIn);
  }
  if (now < operation.deadline) return {};
  return End(absl::DeadlineExceededError(
      absl::StrCat(state.config.node_name, " stays in maintenance: not synchronised within ",
                   absl::FormatDuration(kSynchroniseBound), ": ",
                   absl::StrJoin(MissingHere(state), "; "), ". Try again, or --force")));
}

Move WhileRejoining(const State& state, const Operation& operation, absl::Time now) {
  const std::string& node = state.config.node_name;
  if (state.vrrp == VrrpState::kBackup) return Done(absl::StrCat(node, " stands by"));
  if (state.vrrp == VrrpState::kMaster) return Done(absl::StrCat(node, " is master"));
  if (now < operation.deadline) return {};
  return End(absl::DeadlineExceededError(
      absl::StrCat(node, " is out of maintenance, but ", VrrpText(state))));
}

}  // namespace

absl::Duration PhaseBound(const State& state, Phase phase) {
  switch (phase) {
    case Phase::kFlushing:
      return kFlushBound;
    case Phase::kHandingOver:
      return 2 * state.config.MasterDownInterval() + kTakeoverAllowance;
    case Phase::kSynchronising:
      return kSynchroniseBound;
    case Phase::kReturning:
      return kVrrpBound + kHearsAMaster * state.config.MasterDownInterval();
    case Phase::kGoingOut:
    case Phase::kRejoining:
      return kVrrpBound;
    case Phase::kComingIn:
      return absl::InfiniteDuration();
  }
  return kVrrpBound;
}

Phase FirstPhase(const State& state, const Operation& operation) {
  if (operation.kind == OperationKind::kStartMaintenance) return Phase::kSynchronising;
  return state.role == Role::kMaster ? Phase::kFlushing : Phase::kGoingOut;
}

Move NextMove(const State& state, absl::Time now) {
  ZC_CHECK(state.operation.has_value());
  const Operation& operation = *state.operation;
  switch (operation.phase) {
    case Phase::kFlushing:
      return WhileFlushing(state, operation, now);
    case Phase::kHandingOver:
      return WhileHandingOver(state, operation, now);
    case Phase::kReturning:
      return WhileReturning(state, operation, now);
    case Phase::kGoingOut:
      return WhileGoingOut(state, operation, now);
    case Phase::kSynchronising:
      return WhileSynchronising(state, operation, now);
    case Phase::kComingIn:
      if (state.on_disk.maintenance) return {};
      return Next("maintenance has ended", Phase::kRejoining);
    case Phase::kRejoining:
      return WhileRejoining(state, operation, now);
  }
  return {};
}

}  // namespace zcluster::core
