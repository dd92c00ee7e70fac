// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/core/action.h"
#include "agent/core/event.h"
#include "agent/core/orders.h"
#include "agent/core/state.h"

namespace zcluster::core {

// Decides all that a node decides: who should be master, who may take over, who may go out. Pure:
// no I/O, no clock, no threads. The same events at the same times give the same actions. Not
// thread-safe; owned by the driver's loop.
class Brain {
 public:
  // `durable` is what the disk held when the agent started.
  Brain(Config config, Durable durable);

  // Takes in what happened and returns what is to be done, in order. `now` never falls; only
  // differences mean anything.
  std::vector<Action> Step(const Event& event, absl::Time now);

  // For tests and the simulation: what the brain believes.
  const State& state() const { return state_; }

 private:
  // What happened. Each says whether it changed what this node knows.
  bool Apply(const Started& event);
  bool Apply(const Ticked& event);
  bool Apply(const Persisted& event);
  bool Apply(const VrrpReported& event);
  bool Apply(const VrrpStarting& event);
  bool Apply(const ComponentReported& event);
  bool Apply(const PeerConnected& event);
  bool Apply(const PeerDisconnected& event);
  bool Apply(const PeerReported& event);
  bool Apply(const ConntrackReported& event);
  bool Apply(const RootsReported& event);
  bool Apply(const Flushed& event);
  bool Apply(const OperationAsked& event);
  bool Apply(const Configured& event);
  bool Apply(const FactsReported& event);
  bool Apply(const HealthReported& event);
  bool Apply(const PeerAsked& event);
  bool Apply(const PeerAnswered& event);
  bool Apply(const PathProbed& event);
  bool Apply(const NetworkSeen& event);
  bool Apply(const Merged& event);

  // What follows from it. Each says whether it changed the state.
  bool DecideTakeover();
  bool DecideRole();
  bool DecideBootGate();
  bool NoteSynchronised();
  bool DecideYielding();
  bool DecideMerging();
  bool DecideFailback();
  bool DecideHealth();
  bool DecideReturn();
  bool AdvanceOperation();

  void Yield(absl::Duration hold);
  void Merge();
  void Promote(absl::string_view event, absl::string_view cause, Term term);
  void Demote(Role to);
  bool IsInStep() const;
  absl::Time WallClock() const;
  bool CountMaintenance();
  void AmendMaintenance(const OperationAsked& event);
  void CountMove();
  void SetFreeze(const OperationAsked& event);
  void Suspend(bool active, const std::string& reason, const std::string& by);
  void StayWhereForced();
  bool LearnFreeze(const Freeze& told);
  void LearnTerm(Term term);
  void Begin(Operation operation);
  void EnterPhase(Phase phase);
  void EndOperation(const absl::Status& status);
  void Progress(std::string what);
  void Log(std::string event, std::vector<std::pair<std::string, std::string>> fields,
           bool warning = false);
  std::vector<Action> GiveOrders(bool changed);

  State state_;
  Orders orders_;
  absl::Time now_;             // of the step under way
  std::vector<Action> acts_;   // of the step under way: what the world shall do
  std::vector<Action> words_;  // of the step under way: what people are told
};

}  // namespace zcluster::core
