// SPDX-License-Identifier: Apache-2.0
#include "agent/core/brain.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/core/evidence.h"
#include "agent/core/facts.h"
#include "agent/core/failback.h"
#include "agent/core/health.h"
#include "agent/core/maintenance.h"
#include "agent/core/maintenance_time.h"
#include "agent/core/merge.h"
#include "agent/core/names.h"
#include "agent/core/operations.h"
#include "agent/core/readiness.h"
#include "agent/core/roles.h"
#include "common/check.h"

namespace zcluster::core {
namespace {

template <typename T, typename V>
bool Assign(T& to, const V& value) {
  if (to == value) return false;
  to = value;
  return true;
}

bool& AwaitsOf(Operation& operation, Replicator replicator) {
  switch (replicator) {
    case Replicator::kConntrack:
      return operation.awaits_flows;
    case Replicator::kConfig:
      return operation.awaits_files;
    case Replicator::kCommands:
      return operation.awaits_commands;
  }
  return operation.awaits_flows;
}

absl::string_view WhatIsUnderWay(const Operation& operation) {
  if (!operation.OfTheBrain()) return Name(operation.kind);
  if (operation.by_health) return "move by health";
  return operation.kind == OperationKind::kSwitchover ? "failback" : "return from maintenance";
}

}  // namespace

Brain::Brain(Config config, Durable durable) {
  state_.config = std::move(config);
  state_.durable = durable;
  state_.on_disk = durable;
}

std::vector<Action> Brain::Step(const Event& event, absl::Time now) {
  now_ = now;
  bool changed = std::visit([this](const auto& happened) { return Apply(happened); }, event);
  if (!state_.started) return {};
  // The order matters: a takeover that holds makes the master, who is master decides what an
  // operation waits for, and only without one may a failback begin.
  changed |= DecideTakeover();
  changed |= DecideRole();
  changed |= DecideBootGate();
  changed |= NoteSynchronised();
  changed |= DecideYielding();
  changed |= DecideMerging();
  changed |= AdvanceOperation();
  // Nothing presses a failback, or the end of a maintenance. A loop that hung hears first what
  // happened meanwhile, and a tick after it.
  if (std::holds_alternative<Ticked>(event)) {
    changed |= DecideReturn();
    changed |= DecideHealth();
    changed |= DecideFailback();
  }
  return GiveOrders(changed);
}

std::vector<Action> Brain::GiveOrders(bool changed) {
  std::vector<Action> out;
  if (changed) out.reserve(8);  // they are large
  orders_.GiveFault(state_, changed, now_, out);
  if (changed) {
    const Durable& newest = state_.under_way.empty() ? state_.on_disk : state_.under_way.back();
    if (newest != state_.durable) {
      state_.under_way.push_back(state_.durable);
      out.push_back(Persist{state_.durable});
    }
    orders_.GiveRole(state_, out);
    orders_.GiveStart(out);
    std::move(acts_.begin(), acts_.end(), std::back_inserter(out));
    acts_.clear();
    orders_.GiveRelease(state_, out);
  }
  orders_.GiveTidings(state_, changed, now_, out);
  std::move(words_.begin(), words_.end(), std::back_inserter(out));
  words_.clear();
  return out;
}

// ---- What happened ----

bool Brain::Apply(const Started&) {
  state_.started = true;
  state_.peer.since = now_;
  state_.role_since = now_;
  return true;
}

bool Brain::Apply(const Ticked& event) {
  state_.wall = event.wall;
  state_.wall_at = now_;
  return CountMaintenance();
}

bool Brain::Apply(const Persisted&) {
  ZC_CHECK(!state_.under_way.empty());
  state_.on_disk = state_.under_way.front();
  state_.under_way.erase(state_.under_way.begin());
  return true;
}

bool Brain::Apply(const PeerConnected& event) {
  Peer& peer = state_.peer;
  peer = Peer{};
  peer.connected = true;
  peer.since = now_;
  peer.heard = now_;
  peer.address = event.address;
  peer.version = event.version;
  peer.problem.clear();
  orders_.ForgetPeer();
  LearnTerm(event.term);
  Log("peer_connected", {{"peer", state_.config.peer_name},
                         {"address", event.address},
                         {"version", event.version},
                         {"term", absl::StrCat(event.term.value)}});
  return true;
}

bool Brain::Apply(const PeerDisconnected& event) {
  Peer& peer = state_.peer;
  const std::string reason = event.reason.empty() ? "the link is down" : event.reason;
  if (!peer.connected && peer.problem == reason) return false;
  if (peer.connected) peer.since = now_;
  peer.connected = false;
  peer.told.reset();
  peer.problem = reason;
  Log("peer_disconnected", {{"peer", state_.config.peer_name}, {"reason", reason}},
      /*warning=*/true);
  return true;
}

bool Brain::Apply(const PeerReported& event) {
  LearnTerm(std::max(event.state.term, event.state.own_term));
  if (!state_.peer.connected) return true;
  state_.peer.heard = now_;
  const NodeState& said = event.state;
  bool changed = LearnFreeze(said.freeze);
  // Its clock moves with each word: only how far it is from ours is news, and not each jitter.
  if (state_.peer.told) state_.peer.told->wall = said.wall;
  if (said.wall > absl::InfinitePast() && state_.wall > absl::InfinitePast()) {
    const absl::Duration ahead = said.wall - state_.wall;
    std::optional<absl::Duration>& known = state_.peer.clock_ahead;
    const bool moved = !known || absl::AbsDuration(ahead - *known) > kClockSkew / 2;
    if (moved) known = ahead;
    changed |= moved;
  }
  return Assign(state_.peer.told, said) || changed;
}

bool Brain::Apply(const RootsReported& event) { return Assign(state_.roots, event.roots); }

bool Brain::Apply(const Flushed& event) {
  std::optional<Operation>& operation = state_.operation;
  if (!operation || operation->id != event.operation || operation->phase != Phase::kFlushing) {
    return false;
  }
  if (!std::exchange(AwaitsOf(*operation, event.replicator), false)) return false;
  Progress(absl::StrCat(Name(event.replicator), " acknowledged by ", state_.config.peer_name));
  return true;
}

bool Brain::Apply(const OperationAsked& event) {
  const std::string& node = state_.config.node_name;
  if (event.kind == OperationKind::kFreeze || event.kind == OperationKind::kUnfreeze) {
    SetFreeze(event);
    return true;
  }
  absl::Status refusal;
  const bool is_out = state_.durable.maintenance;
  // One whose time is over is on its way back: whoever wants it out means from now on.
  const bool amends = event.kind == OperationKind::kEnterMaintenance && is_out &&
                      (!event.reason.empty() || event.length != absl::InfiniteDuration() ||
                       state_.maintenance_time.over);
  if (state_.operation) {
    refusal = absl::FailedPreconditionError(absl::StrCat("a ", WhatIsUnderWay(*state_.operation),
                                                         " is under way on ", node,
                                                         "; try again when it has ended"));
  } else if (event.length != absl::InfiniteDuration() && state_.wall == absl::InfinitePast()) {
    refusal = absl::FailedPreconditionError(
        absl::StrCat("the clock of ", node, " is not known yet; try again in a moment"));
  } else if (event.kind == OperationKind::kSwitchover) {
    refusal = MayHandOver(state_, event.force);
  } else if (event.kind == OperationKind::kEnterMaintenance && !state_.durable.maintenance) {
    refusal = MayGoOut(state_, event.force);
  }
  if (refusal.ok() && amends) {
    AmendMaintenance(event);
    return true;
  }
  const bool nothing_to_do = !state_.operation && refusal.ok() &&
                             ((event.kind == OperationKind::kEnterMaintenance && is_out) ||
                              (event.kind == OperationKind::kStartMaintenance && !is_out));
  if (!refusal.ok() || nothing_to_do) {
    if (nothing_to_do) {
      words_.push_back(Progressed{
          event.operation, is_out
                               ? absl::StrCat(node, " is already ", MaintenanceText(state_.durable))
                               : absl::StrCat(node, " is not in maintenance")});
    }
    words_.push_back(Finished{event.operation, refusal});
    Log("operation_refused",
        {{"operation", std::string(Name(event.kind))},
         {"outcome", refusal.ok() ? "nothing to do" : std::string(refusal.message())}});
    return true;
  }
  Operation operation;
  operation.id = event.operation;
  operation.kind = event.kind;
  operation.force = event.force;
  operation.reason = event.reason;
  operation.length = event.length;
  operation.by = event.by;
  Begin(std::move(operation));
  return true;
}

bool Brain::Apply(const Configured& event) {
  Config& config = state_.config;
  ZC_CHECK(event.config.node_name == config.node_name &&
           event.config.node_address == config.node_address &&
           event.config.peer_name == config.peer_name &&
           event.config.peer_address == config.peer_address);
  if (!Assign(config, event.config)) return false;
  if (state_.operation) {
    // What is not replicated any more will not be acknowledged either.
    state_.operation->awaits_flows &= config.replicate_conntrack;
    state_.operation->awaits_files &= config.has_roots;
    state_.operation->awaits_commands &= config.has_commands;
  }
  Log("configured", {{"failback", std::string(Name(config.failback))},
                     {"preferred", config.preferred},
                     {"advert_interval", absl::FormatDuration(config.advert_interval)},
                     {"conntrack", config.replicate_conntrack ? "yes" : "no"},
                     {"roots", config.has_roots ? "yes" : "no"},
                     {"commands", config.has_commands ? "yes" : "no"}});
  return true;
}

// ---- What follows ----

bool Brain::DecideRole() {
  const Role role = RoleOf(state_);
  bool changed = false;
  if (role == Role::kMaster && state_.role != Role::kMaster) {
    if (Resumes(state_)) {
      Promote("resumed", "found_as_master", state_.durable.own_term);
      // Whom it served before its agent restarted is not known; see StandingOf.
      state_.acknowledged = true;
    } else {
      Promote("promoted", CauseOfPromotion(state_), NextTerm(state_));
    }
    state_.contested = false;
    acts_.push_back(Announce{});
    changed = true;
  } else if (role != state_.role) {
    if (state_.role == Role::kMaster) {
      if (MayOweFlows(state_, role)) Merge();
      Demote(role);
    } else {
      Log("role_changed", {{"from", std::string(Name(state_.role))},
                           {"to", std::string(Name(role))},
                           {"cause", CauseOfRole(state_)}});
    }
    state_.role = role;
    state_.role_since = now_;
    changed = true;
  } else if (NeedsNewTerm(state_)) {
    Promote("promoted", "peer_knows_a_later_term", NextTerm(state_));
    changed = true;
  }
  if (state_.role == Role::kMaster && !state_.acknowledged && PeerStandsBy(state_)) {
    state_.acknowledged = true;
    Log("peer_stands_by",
        {{"peer", state_.config.peer_name}, {"term", absl::StrCat(state_.durable.own_term.value)}});
    changed = true;
  }
  return changed;
}

void Brain::Promote(absl::string_view event, absl::string_view cause, Term term) {
  const bool again = state_.role == Role::kMaster;
  Fields fields = {{"term", absl::StrCat(term.value)}, {"cause", std::string(cause)}};
  for (auto& field : EvidenceOfPromotion(state_, now_)) fields.push_back(std::move(field));
  // As the peer that moved it has counted.
  if (!again && PeerIsWorse(state_)) CountMove();
  state_.role = Role::kMaster;
  if (!again) state_.role_since = now_;
  state_.acknowledged = false;
  state_.durable.own_term = term;
  state_.durable.highest_term = std::max(state_.durable.highest_term, term);
  Log(std::string(event), std::move(fields));
}

void Brain::Demote(Role to) {
  Log("demoted", {{"term", absl::StrCat(state_.durable.own_term.value)},
                  {"cause", CauseOfRole(state_)},
                  {"to", std::string(Name(to))},
                  {"served", absl::FormatDuration(now_ - state_.role_since)}});
}

void Brain::LearnTerm(Term term) {
  state_.durable.highest_term = std::max(state_.durable.highest_term, term);
}

bool Brain::DecideYielding() {
  Yielding& yielding = state_.yielding;
  bool changed = false;
  if (yielding.active && MayStopYielding(state_, now_)) {
    yielding.active = false;
    yielding.ended = now_;
    changed = true;
  }
  if (state_.role != Role::kMaster) return changed;
  if (state_.peer.Says(Role::kMaster)) {
    state_.contested = true;
  } else if (state_.contested && state_.peer.connected && state_.peer.told) {
    // The clients may have followed the other one: tell them again.
    state_.contested = false;
    acts_.push_back(Announce{});
    changed = true;
  }
  // While it stands aside already, that the peer takes over is what was wanted.
  if (MustStandAside(state_) || !LosesToPeer(state_)) return changed;
  if (state_.config.replicate_conntrack && !state_.merging) {
    Merge();
    return true;
  }
  if (MergesFirst(state_, now_)) return changed;
  Yield(HoldFor(state_, now_));
  const bool held = yielding.hold > absl::ZeroDuration();
  Log("yielded",
      {{"term", absl::StrCat(state_.durable.own_term.value)},
       {"peer_term", absl::StrCat(state_.peer.told->own_term.value)},
       {"held", absl::FormatDuration(yielding.hold)},
       {"cause",
        held ? "adverts of the peer do not arrive although it is master" : "both are master"}},
      /*warning=*/true);
  return true;
}

void Brain::Yield(absl::Duration hold) {
  state_.yielding.hold = hold;
  state_.yielding.since = now_;
  state_.yielding.active = true;
}

bool Brain::DecideFailback() {
  if (!MayFailBack(state_, now_)) return false;
  Log("failback",
      {{"to", state_.config.peer_name}, {"term", absl::StrCat(state_.durable.own_term.value)}});
  Begin(Operation{});
  AdvanceOperation();
  return true;
}

// ---- Operations ----

void Brain::Begin(Operation operation) {
  operation.asked = now_;
  const Phase first = FirstPhase(state_, operation);
  const std::vector<std::string> reasons =
      first == Phase::kFlushing ? NotReady(state_) : std::vector<std::string>();
  const bool by_itself = operation.OfTheBrain();
  Log("operation_started",
      {{"operation", std::string(Name(operation.kind))},
       {"forced", operation.force ? "yes" : "no"},
       {"by", by_itself ? "zagent itself" : operation.by},
       {"reason", !by_itself            ? operation.reason
                  : operation.by_health ? absl::StrCat("move by health: ", operation.reason)
                                        : std::string(WhatIsUnderWay(operation))}});
  state_.operation = std::move(operation);
  if (first == Phase::kFlushing) {
    Progress(reasons.empty() ? absl::StrCat(state_.config.peer_name, " is ready")
                             : absl::StrCat("going on ", state_.operation->force ? "by force " : "",
                                            "although ", absl::StrJoin(reasons, "; ")));
  }
  EnterPhase(first);
}

void Brain::EnterPhase(Phase phase) {
  Operation& operation = *state_.operation;
  operation.phase = phase;
  operation.deadline = now_ + PhaseBound(state_, phase);
  if (phase == Phase::kHandingOver) {
    Log("gives_way",
        {{"to", state_.config.peer_name}, {"term", absl::StrCat(state_.durable.own_term.value)}});
    StayWhereForced();
  }
  if (phase == Phase::kGoingOut) {
    GoOut(state_.durable, operation.reason, WallClock(), operation.length);
    state_.maintenance_time = {};
    CountMaintenance();
  }
  if (phase == Phase::kComingIn) {
    ComeIn(state_.durable);
    state_.maintenance_time = {};
  }
  if (phase != Phase::kFlushing) return;
  // By force, what is not synchronised anyway is not waited for.
  const Config& config = state_.config;
  operation.awaits_flows =
      config.replicate_conntrack && (!operation.GoesOnAnyway() || state_.conntrack.synchronised);
  operation.awaits_files = config.has_roots && (!operation.force || state_.peer.connected);
  operation.awaits_commands = config.has_commands && (!operation.force || state_.peer.connected);
  if (operation.awaits_flows) acts_.push_back(Flush{operation.id, Replicator::kConntrack});
  if (operation.awaits_files) acts_.push_back(Flush{operation.id, Replicator::kConfig});
  if (operation.awaits_commands) {
    acts_.push_back(Flush{operation.id, Replicator::kCommands});
    orders_.HoldCommands();
  }
}

bool Brain::AdvanceOperation() {
  bool changed = false;
  while (state_.operation) {
    Move move = NextMove(state_, now_);
    for (std::string& step : move.done) Progress(std::move(step));
    if (move.next) {
      EnterPhase(*move.next);
    } else if (move.end) {
      EndOperation(*move.end);
    } else {
      break;
    }
    changed = true;
    // Going out and coming in change the role at once.
    DecideRole();
  }
  return changed;
}

void Brain::EndOperation(const absl::Status& status) {
  const Operation operation = *std::exchange(state_.operation, std::nullopt);
  if (operation.froze && !status.ok())
    Suspend(false, "the switchover did not succeed", operation.by);
  if (operation.OfTheBrain()) {
    const bool returns = operation.kind == OperationKind::kStartMaintenance;
    if (!status.ok() && returns) state_.maintenance_time.no_return_before = now_ + kReturnPause;
    if (!status.ok() && !returns) state_.no_failback_before = now_ + kFailbackPause;
    if (!status.ok() && operation.by_health) state_.moves.none_before = now_ + kMovePause;
  } else {
    words_.push_back(Finished{operation.id, status});
  }
  Log("operation_finished",
      {{"operation", std::string(Name(operation.kind))},
       {"outcome", status.ok() ? "OK"
                               : absl::StrCat(absl::StatusCodeToString(status.code()), ": ",
                                              status.message())},
       {"took", absl::FormatDuration(now_ - operation.asked)}},
      /*warning=*/!status.ok());
}

void Brain::Progress(std::string what) {
  Log("operation_step", {{"operation", std::string(Name(state_.operation->kind))}, {"step", what}});
  if (state_.operation->OfTheBrain()) return;
  words_.push_back(Progressed{state_.operation->id, std::move(what)});
}

void Brain::Log(std::string event, std::vector<std::pair<std::string, std::string>> fields,
                bool warning) {
  words_.push_back(LogDecision{std::move(event), std::move(fields), warning});
}

}  // namespace zcluster::core
