// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/invariants.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/core/boot_gate.h"
#include "agent/core/names.h"
#include "agent/core/roles.h"

namespace zcluster::sim {

using core::Term;
using core::VrrpState;

namespace {
constexpr char kByHealth[] = "move by health";
}  // namespace

void Invariants::Break(std::string what) {
  if (broken_.empty()) broken_ = std::move(what);
}

void Invariants::Check() {
  CheckTwoMasters();
  CheckSomebodyServes();
  CheckNode(0);
  CheckNode(1);
}

void Invariants::CheckTwoMasters() {
  const auto could_settle = [](const Node& node) {
    // While keepalived hangs its VIPs stay, and nobody can take them; the bound begins as it wakes.
    return node.keepalived().state() == VrrpState::kMaster && !node.keepalived().hangs() &&
           node.agent() && !node.agent()->hung() && !node.disk().busy();
  };
  const bool settleable = could_settle(pair_->node(0)) && could_settle(pair_->node(1)) &&
                          pair_->link().Lives() && pair_->network().link[0] &&
                          pair_->network().link[1];
  if (two_masters_.Exceeds(settleable, pair_->clock().now(), kTwoMastersBound)) {
    Break(absl::StrCat("two masters for more than ", absl::FormatDuration(kTwoMastersBound),
                       " although the link lives"));
  }
}

bool Invariants::CouldServe(int index) const {
  const Node& node = pair_->node(index);
  // Also without an agent: what it left behind is a lease.
  const bool goes_out = node.agent() && node.agent()->state().durable.maintenance;
  return node.powered() && node.keepalived().state() != VrrpState::kDown &&
         !node.keepalived().hangs() && !goes_out && !node.disk().content().maintenance;
}

void Invariants::CheckSomebodyServes() {
  const absl::Time now = pair_->clock().now();
  for (int i : {0, 1}) {
    if (pair_->node(i).keepalived().state() == VrrpState::kMaster) {
      last_served_ = now;
      const bool path = pair_->network().path[static_cast<size_t>(i)];
      if (path || pair_->network().link_on_vrrp_network) Of(i).served = now;
    }
  }
  // A node that booted waits for its gate; a forced hand-over to nobody lasts its whole bound; then
  // the election.
  for (int i : {0, 1}) {
    const absl::Duration interval = pair_->node(i).config().advert_interval;
    if (interval <= slowest_) continue;
    slowest_ = interval;
    unserved_bound_ =
        Longest(core::kBootGate + 2 * (2 * pair_->MasterDownInterval() + absl::Seconds(5)));
  }
  if (last_served_ == now) return;
  for (int i : {0, 1}) {
    // Who could serve while somebody did does not matter: it counts from there on.
    absl::Time& since = Of(i).could_serve_since;
    since = CouldServe(i) ? std::min(since, now) : absl::InfiniteFuture();
    if (now - std::max(since, last_served_) > unserved_bound_) {
      Break(absl::StrCat("nobody serves for more than ", absl::FormatDuration(unserved_bound_),
                         " although node", i + 1, " could"));
    }
  }
}

void Invariants::CheckFault(int index) {
  const Node& node = pair_->node(index);
  const bool awake = node.agent() && !node.agent()->hung() && node.agent()->state().started;
  if (!Of(index).awake.Exceeds(awake, pair_->clock().now(), kLapseBound)) return;
  if (!node.files().fault && core::MustStandAside(node.agent()->state())) {
    Break(absl::StrCat("the fault of node", index + 1, " has lapsed although its agent wants it: ",
                       core::FaultReason(node.agent()->state())));
  }
}

void Invariants::CheckCommands(int index) {
  Record& record = Of(index);
  const Node& node = pair_->node(index);
  const absl::Time now = pair_->clock().now();
  const bool held = record.commands_held_since != absl::InfiniteFuture();
  // The release is a promise, so it waits for the disk.
  const bool could = held && node.agent() && !node.agent()->hung() && !node.disk().busy();
  const bool in_vain = could && !node.agent()->state().operation;
  if (record.held_in_vain.Exceeds(in_vain, now, kReleaseBound))
    Break(absl::StrCat("node", index + 1, " holds commands although no hand-over is under way"));
  if (held && now - record.commands_held_since > kOperationBound) {
    Break(absl::StrCat("node", index + 1, " holds commands for more than ",
                       absl::FormatDuration(kOperationBound)));
  }
}

void Invariants::CheckNode(int index) {
  CheckFault(index);
  CheckCommands(index);
  Record& record = Of(index);
  const absl::Time now = pair_->clock().now();
  const bool wrong = record.told_out &&
                     pair_->node(index).keepalived().state() == VrrpState::kMaster &&
                     !pair_->node(index).keepalived().hangs();
  if (record.out_but_master.Exceeds(wrong, now, kMaintenanceBound)) {
    Break(absl::StrCat("node", index + 1,
                       " is master although an operator was told that it is in maintenance"));
  }
  for (const auto& [id, asked] : record.operations) {
    if (now - asked.at > kOperationBound) {
      Break(absl::StrCat("operation ", id, " (", core::Name(asked.kind), ") of node", index + 1,
                         " has not ended within ", absl::FormatDuration(kOperationBound)));
    }
  }
}

void Invariants::OnStarted(int node) {
  Record& record = Of(node);
  const core::Durable& disk = pair_->node(node).disk().content();
  record.own = disk.own_term;
  record.persisted_out = disk.maintenance;
  record.known = std::max(record.told, disk.highest_term);
  if (disk.highest_term < record.told) {
    Break(
        absl::StrCat("node", node + 1, " forgot term ", record.told.value, ", which it had told"));
  }
}

void Invariants::OnDied(int node) {
  Of(node).operations.clear();
  Of(node).hands_over = false;
  Of(node).commands_held_since = absl::InfiniteFuture();
}

void Invariants::OnHeard(int node, const core::Event& event) {
  Record& record = Of(node);
  if (const auto* asked = std::get_if<core::OperationAsked>(&event)) {
    NoteAsked(node, *asked);
  } else if (const auto* reported = std::get_if<core::PeerReported>(&event)) {
    record.known = std::max({record.known, reported->state.term, reported->state.own_term});
  } else if (const auto* connected = std::get_if<core::PeerConnected>(&event)) {
    record.known = std::max(record.known, connected->term);
  } else if (const auto* answered = std::get_if<core::PeerAnswered>(&event)) {
    record.answered_nonce = answered->nonce;
  }
}

void Invariants::NoteAsked(int node, const core::OperationAsked& asked) {
  Record& record = Of(node);
  const absl::Time now = pair_->clock().now();
  record.operations[asked.operation.value] = {asked.kind, now, asked.force, record.persisted_out,
                                              asked.length};
  if (asked.kind == core::OperationKind::kStartMaintenance) record.told_out = false;
  if (asked.kind != core::OperationKind::kEnterMaintenance &&
      asked.kind != core::OperationKind::kStartMaintenance) {
    return;
  }
  if (asked.kind == core::OperationKind::kEnterMaintenance) record.over = false;
  // Until it is known what came of it.
  record.not_over_before = std::min(record.not_over_before, now + Shortest(asked.length));
}

void Invariants::OnPerformed(int node, const core::Action& action) {
  if (const auto* persist = std::get_if<core::Persist>(&action)) {
    CheckPersist(node, persist->durable);
  } else if (const auto* fault = std::get_if<core::SetFault>(&action)) {
    if (fault->reason.empty() && pair_->node(node).disk().content().maintenance) {
      Break(absl::StrCat("node", node + 1, " lifts the fault although its disk says maintenance"));
    }
    const bool hands_over = fault->reason == "switchover";
    if (hands_over && !Of(node).hands_over) CheckHandsOver(node);
    Of(node).hands_over = hands_over;
  } else if (const auto* flush = std::get_if<core::Flush>(&action)) {
    if (flush->replicator == core::Replicator::kCommands)
      Of(node).commands_held_since = pair_->clock().now();
  } else if (std::holds_alternative<core::ReleaseCommands>(action)) {
    Of(node).commands_held_since = absl::InfiniteFuture();
  } else if (const auto* told = std::get_if<core::SendState>(&action)) {
    CheckTold(node, told->state);
  } else if (const auto* finished = std::get_if<core::Finished>(&action)) {
    CheckFinished(node, *finished);
  } else if (const auto* assume = std::get_if<core::AssumeRole>(&action)) {
    if (assume->role == core::Role::kMaster &&
        assume->term > pair_->node(node).disk().content().own_term) {
      Break(absl::StrCat("node", node + 1, " sends in term ", assume->term.value,
                         ", which is not on its disk"));
    }
  } else if (const auto* published = std::get_if<core::Publish>(&action)) {
    if (published->view.local.message.empty() || published->view.remote.message.empty()) {
      Break(absl::StrCat("node", node + 1, " shows a status without a message"));
    }
  } else if (std::holds_alternative<core::AskPeer>(action)) {
    Of(node).asked_nonce = std::get<core::AskPeer>(action).nonce;
    Of(node).own_when_asking = pair_->node(node).agent()->state().durable.own_term;
  } else if (const auto* decision = std::get_if<core::LogDecision>(&action)) {
    CheckDecision(node, *decision);
  }
}

// At the end of the barrier: readiness may have been lost since it began.
void Invariants::CheckHandsOver(int node) {
  if (pair_->node(node).agent()->state().operation->GoesOnAnyway()) return;
  for (int ill : {0, 1}) {
    if (pair_->clock().now() > pair_->node(ill).ill_since() + kKnownBound) {
      Break(absl::StrCat("node", node + 1, " hands over without force although the machine of node",
                         ill + 1, " is ill"));
    }
  }
}

// Whoever gives its takeover back must know that the clients are served: by a peer that was master
// a moment ago, over a path that was alive then. And it has made no term of it.
void Invariants::CheckRefuted(int node) {
  const Record& peer = Of(1 - node);
  if (Of(node).answered_nonce != Of(node).asked_nonce) {
    Break(absl::StrCat("node", node + 1,
                       " gives its takeover back for an answer to an older question"));
  }
  if (pair_->clock().now() - peer.served > kAnswerBound) {
    Break(absl::StrCat("node", node + 1, " gives its takeover back, but its peer does not serve"));
  }
  const core::State& state = pair_->node(node).agent()->state();
  if (state.durable.own_term != Of(node).own_when_asking) {
    Break(absl::StrCat("node", node + 1, " raised its term for a takeover that was refuted"));
  }
}

void Invariants::CheckDecision(int node, const core::LogDecision& decision) {
  const core::State& state = pair_->node(node).agent()->state();
  const bool by_itself = decision.event == "moves_by_health" || decision.event == "failback";
  if (by_itself && state.durable.freeze.active) {
    Break(absl::StrCat("node", node + 1, " moves the master although the pair is frozen"));
  }
  if (decision.event == "maintenance_over") CheckOver(node);
  if (decision.event == "takeover_refuted") CheckRefuted(node);
  if (decision.event == "resumed" && state.durable.own_term < Of(node).known) {
    Break(absl::StrCat("node", node + 1, " resumes term ", state.durable.own_term.value,
                       " although it knew of term ", Of(node).known.value));
  }
  const bool hands_over =
      decision.event == "operation_started" && state.role == core::Role::kMaster;
  const bool anyway = hands_over && (decision.fields[1].second == "yes" ||
                                     absl::StartsWith(decision.fields[3].second, kByHealth));
  if (hands_over && !anyway && !state.peer.told->not_ready.empty()) {
    Break(absl::StrCat("node", node + 1, " hands over without force although its peer says: ",
                       state.peer.told->not_ready.front()));
  }
  if (decision.event == "yielded" && state.peer.told &&
      state.durable.own_term > state.peer.told->own_term) {
    Break(absl::StrCat("node", node + 1, " yields although its term is the later one"));
  }
  const bool first_of_two = decision.event == "boot_gate_opened" &&
                            decision.fields[0].second != "waited long enough" &&
                            state.peer.Says(core::Role::kFault);
  if (first_of_two && state.peer.told->own_term > state.durable.own_term) {
    Break(absl::StrCat("node", node + 1, " goes first after a boot although its peer served last"));
  }
  const bool replicates = state.config.replicate_conntrack || state.config.has_roots;
  if (decision.event == "failback" && replicates && !pair_->replication().in_step()) {
    Break(absl::StrCat("node", node + 1, " fails back although the nodes are not synchronised"));
  }
}

void Invariants::CheckOver(int node) {
  Record& record = Of(node);
  record.told_out = false;
  record.over = true;
  if (pair_->node(node).skipped() != record.skipped) return;
  if (pair_->clock().now() < record.not_over_before) {
    Break(absl::StrCat("the maintenance of node", node + 1, " ends before its time"));
  }
}

void Invariants::CheckPersist(int node, const core::Durable& durable) {
  Record& record = Of(node);
  if (durable.own_term < record.own)
    Break(absl::StrCat("the own term of node", node + 1, " falls"));
  if (durable.own_term != record.own && durable.own_term <= record.known) {
    Break(absl::StrCat("node", node + 1, " was promoted to term ", durable.own_term.value,
                       " although it knew of term ", record.known.value));
  }
  if (durable.highest_term < std::max(record.own, durable.own_term)) {
    Break(absl::StrCat("the highest term of node", node + 1, " is below its own"));
  }
  const core::State& state = pair_->node(node).agent()->state();
  const bool comes_back = record.persisted_out && !durable.maintenance;
  const bool lacks_flows = state.config.replicate_conntrack && !state.conntrack.synchronised;
  if (comes_back && state.peer.Says(core::Role::kMaster) && lacks_flows &&
      !state.operation->force) {
    Break(
        absl::StrCat("node", node + 1, " comes back from maintenance without the master's flows"));
  }
  record.persisted_out = durable.maintenance;
  record.own = durable.own_term;
  record.known = std::max(record.known, durable.highest_term);
}

void Invariants::CheckTold(int node, const core::NodeState& state) {
  Record& record = Of(node);
  const core::Durable& disk = pair_->node(node).disk().content();
  if (state.term > disk.highest_term || state.own_term > disk.own_term) {
    Break(absl::StrCat("node", node + 1, " tells its peer of term ", state.term.value,
                       ", which is not on its disk"));
  }
  if (state.term < record.told || state.own_term < record.told_own) {
    Break(absl::StrCat("node", node + 1, " tells its peer of a lower term than before"));
  }
  record.told = state.term;
  record.told_own = state.own_term;
}

void Invariants::CheckFinished(int node, const core::Finished& finished) {
  Record& record = Of(node);
  const auto found = record.operations.find(finished.operation.value);
  if (found == record.operations.end()) {
    return Break(absl::StrCat("node", node + 1, " ends operation ", finished.operation.value,
                              ", which was not asked for or has ended"));
  }
  const Asked asked = found->second;
  record.operations.erase(found);
  const bool of_maintenance = asked.kind == core::OperationKind::kEnterMaintenance ||
                              asked.kind == core::OperationKind::kStartMaintenance;
  if (!finished.status.ok() || !of_maintenance) return;
  // An answer may wait for the disk until the node is on its way to the other state again; then it
  // says nothing of now.
  const bool wants_out = asked.kind == core::OperationKind::kEnterMaintenance;
  if (wants_out != record.persisted_out) return;
  if (wants_out != pair_->node(node).disk().content().maintenance) {
    Break(absl::StrCat("node", node + 1, " says that it ", wants_out ? "is in" : "left",
                       " maintenance, its disk does not"));
  }
  if (!wants_out) return;
  if (!asked.was_out || asked.length != absl::InfiniteDuration()) {
    record.not_over_before = asked.at + Shortest(asked.length);
    record.skipped = pair_->node(node).skipped();
  }
  GoesOut(node, asked);
}

void Invariants::GoesOut(int node, const Asked& asked) {
  Record& record = Of(node);
  if (record.told_out) return;
  const Record& other = Of(1 - node);
  const absl::Time now = pair_->clock().now();
  // One that goes out by force, just now, may be seen as master still by an agent that hung.
  const bool could_know = !other.out_by_force || now - other.out_since > kKnownBound;
  if (other.told_out && could_know && !asked.force && !asked.was_out) {
    Break(absl::StrCat("node", node + 1,
                       " was taken out without force although the other is out already"));
  }
  record.told_out = !record.over;  // it may have ended before its operator was told that it began
  record.out_since = now;
  record.out_by_force = asked.force;
}

}  // namespace zcluster::sim
