// SPDX-License-Identifier: Apache-2.0
// What the brain is told of the replication, and what is mended without being asked to.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/capture.h"
#include "agent/conntrack/changes.h"
#include "agent/conntrack/conntrack.h"
#include "agent/conntrack/inject.h"
#include "agent/conntrack/receiver.h"
#include "agent/conntrack/sender.h"
#include "agent/conntrack/tally.h"
#include "common/log.h"

namespace zcluster::conntrack {
namespace {

// The peer holds other flows than it was sent: what its kernel refused may come with the next
// change. A difference that lasts is repaired by a snapshot, and if that does not help, not at once
// by another.
constexpr absl::Duration kRepairAfter = absl::Seconds(5);
constexpr absl::Duration kRepairPause = absl::Minutes(1);

void Add(const Lack& lack, core::ConntrackState& state) {
  state.missing = lack.flows;
  state.table_entries = lack.entries;
  state.table_maximum = lack.maximum;
}

// What is told at once, and not only with the next report.
bool Flips(const core::ConntrackState& a, const core::ConntrackState& b) {
  return a.synchronised != b.synchronised || a.problem != b.problem || a.differs != b.differs ||
         (a.missing == 0) != (b.missing == 0) || (a.table_maximum == 0) != (b.table_maximum == 0);
}

}  // namespace

bool Conntrack::StandsBy(core::Role role) {
  return role == core::Role::kBackup || role == core::Role::kMaintenance;
}

std::string Conntrack::Problem() const {
  if (!replicate_) return "replication is switched off";
  if (!prepare_problem_.empty()) return prepare_problem_;
  if (role_ == core::Role::kMaster) {
    if (!capture_problem_.empty()) return capture_problem_;
    if (merge_) return "this node gives way to another master";
    const std::shared_ptr<Sender> sender = this->sender();
    if (changes_->Wanted() && sender) {
      return sender->synchronised() && !changes_->SnapshotOpen()
                 ? ""
                 : "the peer does not have the whole snapshot yet";
    }
    return stream_problem_.empty() ? "the peer does not take flows yet"
                                   : absl::StrCat("the peer takes no flows: ", stream_problem_);
  }
  if (!StandsBy(role_)) return "this node is neither master nor backup";
  if (gate_->synchronised()) return "";
  return gate_->live() ? "the master's snapshot is not complete yet" : "no master sends its flows";
}

void Conntrack::Repair() {
  const std::shared_ptr<Sender> sender = this->sender();
  const absl::Time now = Loop::Now();
  // Of what is merged the peer leaves out what it has itself.
  const bool leads = role_ == core::Role::kMaster && !merge_ && sender;
  const Lack lack = leads ? sender->lack() : Lack();
  crowded_ = leads && (crowded_ || lack.maximum != 0);
  const bool differs = leads && sender->compared().differs;
  const bool equal = leads && !differs && sender->synchronised();
  equal_since_ = equal ? std::min(equal_since_, now) : absl::InfiniteFuture();
  // While it is full a snapshot would be refused, too.
  differs_since_ =
      differs && lack.maximum == 0 ? std::min(differs_since_, now) : absl::InfiniteFuture();
  if (now < no_repair_before_ || !capture_) return;
  if (now >= differs_since_ + kRepairAfter) {
    Repair("the peer holds other flows than it was sent");
  } else if (crowded_ && lack.flows == 0) {
    Repair("the peer's kernel was full, and may have dropped what it held");
  }
}

void Conntrack::Repair(const std::string& why) {
  no_repair_before_ = Loop::Now() + kRepairPause;
  crowded_ = false;
  ++repairs_;
  log::Warning("conntrack_repair", {{"why", why}});
  capture_->RequestSnapshot();
}

core::ConntrackState Conntrack::Describe() const {
  core::ConntrackState state;
  state.problem = Problem();
  state.synchronised = state.problem.empty();
  state.verifications = verifications_;
  state.differing = differing_;
  state.repairs = repairs_;
  state.classes = tally_->classes();
  if (!injector_) return state;
  state.changes = changes_->Taken() + injector_->applied();
  state.snapshots = changes_->Snapshots() + injector_->snapshots();
  state.overruns = overruns_before_ + (capture_ ? capture_->overruns() : 0);
  state.refused = refused_before_ + injector_->refused();
  if (role_ == core::Role::kMaster) {
    state.flows = changes_->Flows();
    if (const std::shared_ptr<Sender> sender = this->sender()) {
      state.refused += sender->refused();
      Add(sender->lack(), state);
      if (state.synchronised) {
        state.lag = sender->Lag(Loop::Now());
        state.digest = sender->compared().digest;
        state.differs = sender->compared().differs;
      }
    }
  } else if (StandsBy(role_)) {
    state.flows = injector_->flows();
    Add(injector_->lack(), state);
    if (state.synchronised) state.digest = injector_->digest();
  }
  return state;
}

void Conntrack::Report(bool only_if_flipped) {
  if (events_ == nullptr) return;
  AdvanceSnapshots();
  core::ConntrackState state = Describe();
  const bool flipped = !told_any_ || Flips(state, told_);
  if (!flipped && (only_if_flipped || state == told_)) return;
  told_any_ = true;
  told_ = state;
  events_->Report(core::ConntrackReported{std::move(state)});
}

}  // namespace zcluster::conntrack
