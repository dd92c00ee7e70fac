// SPDX-License-Identifier: Apache-2.0
// What the brain does about what this node, or its peer, can serve; and the freeze that keeps it
// from that.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/core/brain.h"
#include "agent/core/health.h"
#include "agent/core/names.h"

namespace zcluster::core {

bool Brain::Apply(const HealthReported& event) {
  if (state_.checks == event.checks) return false;
  for (const HealthCheck& check : event.checks) {
    const auto known = std::find_if(state_.checks.begin(), state_.checks.end(),
                                    [&](const HealthCheck& old) { return old.name == check.name; });
    const bool passed = known == state_.checks.end() || known->passes;
    if (passed == check.passes) continue;
    Log(check.passes ? "check_passes" : "check_fails",
        {{"check", check.name}, {"evidence", check.evidence}}, /*warning=*/!check.passes);
  }
  state_.checks = event.checks;
  return true;
}

bool Brain::DecideHealth() {
  HealthMoves& moves = state_.moves;
  if (state_.role != Role::kMaster || !IsWorse(state_)) {
    moves.worse_since.reset();
  } else if (!moves.worse_since) {
    moves.worse_since = now_;
  }
  const Better better = JudgeHealth(state_, now_);
  const bool held = better == Better::kHeld || better == Better::kFrozen;
  bool changed = std::exchange(moves.held, held) != held;
  if (better != Better::kGiveWay && !(held && changed)) return changed;
  const std::string because = absl::StrJoin(Failing(state_.checks), "; ");
  if (held && changed) {
    Log("move_held",
        {{"to", state_.config.peer_name},
         {"because", because},
         {"cause", better == Better::kFrozen
                       ? "automatic decisions are suspended"
                       : absl::StrCat("health has moved the master ", kMostMoves, " times within ",
                                      absl::FormatDuration(kFlapWindow))}},
        /*warning=*/true);
  }
  if (better != Better::kGiveWay) return changed;
  Log("moves_by_health",
      {{"to", state_.config.peer_name},
       {"term", absl::StrCat(state_.durable.own_term.value)},
       {"because", because}},
      /*warning=*/true);
  CountMove();
  Operation operation;
  operation.by_health = true;
  operation.reason = because;
  Begin(std::move(operation));
  AdvanceOperation();
  return true;
}

void Brain::CountMove() {
  std::vector<absl::Time>& made = state_.moves.made;
  made.push_back(now_);
  if (made.size() > kMostMoves) made.erase(made.begin());
}

void Brain::SetFreeze(const OperationAsked& event) {
  const Freeze& freeze = state_.durable.freeze;
  const bool active = event.kind == OperationKind::kFreeze;
  const std::string what = active ? "suspended" : "on again";
  const bool as_it_was = freeze.active == active && (!active || freeze.reason == event.reason);
  if (!as_it_was) Suspend(active, event.reason, event.by);
  words_.push_back(Progressed{
      event.operation, absl::StrCat("automatic decisions are ", what, as_it_was ? " already" : "",
                                    " on ", state_.config.node_name)});
  if (!state_.peer.connected) {
    words_.push_back(Progressed{
        event.operation, absl::StrCat(state_.config.peer_name,
                                      " is told when the link is back: ", state_.peer.problem)});
  }
  words_.push_back(Finished{event.operation, absl::OkStatus()});
}

void Brain::Suspend(bool active, const std::string& reason, const std::string& by) {
  Freeze& freeze = state_.durable.freeze;
  freeze = {freeze.version + 1, active, active ? reason : ""};
  Log(active ? "frozen" : "unfrozen", {{"by", by}, {"reason", reason}});
}

void Brain::StayWhereForced() {
  Operation& operation = *state_.operation;
  const bool forced = operation.force && operation.kind == OperationKind::kSwitchover;
  if (!forced || state_.durable.freeze.active || !PeerIsWorse(state_)) return;
  operation.froze = true;
  const std::string& peer = state_.config.peer_name;
  Suspend(true, absl::StrCat("switchover by force to ", peer, ", of which more fails"),
          operation.by);
  Progress(absl::StrCat("automatic decisions are suspended, or health would move the master back: ",
                        "zctl unfreeze once ", peer, " is well"));
}

bool Brain::LearnFreeze(const Freeze& told) {
  if (!Prevails(told, state_.durable.freeze)) return false;
  const bool changes = told.active != state_.durable.freeze.active;
  state_.durable.freeze = told;
  if (changes) {
    Log(told.active ? "frozen" : "unfrozen",
        {{"by", state_.config.peer_name}, {"reason", told.reason}});
  }
  return true;
}

}  // namespace zcluster::core
