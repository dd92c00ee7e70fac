// SPDX-License-Identifier: Apache-2.0
#include "agent/core/orders.h"

#include "agent/core/roles.h"
#include "agent/core/status.h"

namespace zcluster::core {
namespace {

// What a node does in replication: its role, but that in FAULT it goes on as a master that hands
// over, or receives.
Role PartOf(const State& state, Role before) {
  if (state.role != Role::kFault) return state.role;
  return HandsOver(state) && before == Role::kMaster ? Role::kMaster : Role::kBackup;
}

}  // namespace

void Orders::GiveFault(const State& state, bool changed, absl::Time now, std::vector<Action>& out) {
  const bool due = now >= renew_at_;
  if (!changed && !due) return;
  std::string reason = FaultReason(state);
  const absl::Duration lease = reason.empty() ? absl::InfiniteDuration() : FaultLease(state, now);
  const bool lasting = lease == absl::InfiniteDuration();
  if (fault_ == reason && lasting_ == lasting && !due) return;
  fault_ = reason;
  lasting_ = lasting;
  renew_at_ = lasting ? absl::InfiniteFuture() : now + kBeat;
  out.push_back(SetFault{std::move(reason), lease});
}

void Orders::GiveRole(const State& state, std::vector<Action>& out) {
  if (const Standing standing = StandingOf(state); standing_ != standing) {
    standing_ = standing;
    out.push_back(SetStanding{standing});
  }
  if (state.role == Role::kUnknown) return;
  const Durable& durable = state.durable;
  const Role part = PartOf(state, assumed_ ? assumed_->role : Role::kUnknown);
  const bool merges = state.merging.has_value();
  const Term term = part == Role::kMaster || merges ? durable.own_term : durable.highest_term;
  const AssumeRole assumed{part, term, merges};
  if (assumed_ == assumed) return;
  assumed_ = assumed;
  out.push_back(assumed);
}

void Orders::GiveStart(std::vector<Action>& out) {
  if (started_) return;
  started_ = true;
  out.push_back(StartHeartbeat{});
}

void Orders::GiveRelease(const State& state, std::vector<Action>& out) {
  const bool hands_over = state.operation && (state.operation->phase == Phase::kFlushing ||
                                              state.operation->phase == Phase::kHandingOver);
  if (!commands_held_ || hands_over) return;
  commands_held_ = false;
  out.push_back(ReleaseCommands{});
}

void Orders::GiveTidings(const State& state, bool changed, absl::Time now,
                         std::vector<Action>& out) {
  const bool beat = now >= next_beat_;
  if (beat) next_beat_ = now + kBeat;
  if (!changed && !beat) return;
  if (changed) LookAt(state);
  node_.wall = state.wall;  // moves without a change: told at the next beat
  if (state.peer.connected) {
    // A beat that would wait for the disk tells nothing; what changed is told when the disk is
    // back.
    if (!told_ || (beat && state.under_way.empty())) out.push_back(SendState{node_});
    told_ = true;
  }
  if (view_.heard != state.peer.heard) {  // likewise
    view_.heard = state.peer.heard;
    counted_ = false;
  }
  if (!shown_ || (beat && !counted_)) {
    out.push_back(Publish{view_});
    shown_ = counted_ = true;
  }
}

void Orders::LookAt(const State& state) {
  View view = Show(state);
  if (Describe(state, view, node_)) told_ = false;
  if (!SameButCounters(view_, view)) shown_ = false;
  counted_ = false;
  view_ = std::move(view);
}

}  // namespace zcluster::core
