// SPDX-License-Identifier: Apache-2.0
// What comparisons of the two kernels' tables ask of the replication.
#include <utility>

#include "agent/conntrack/capture.h"
#include "agent/conntrack/changes.h"
#include "agent/conntrack/conntrack.h"
#include "agent/conntrack/filter.h"
#include "agent/conntrack/inject.h"
#include "agent/conntrack/pairing.h"
#include "agent/conntrack/sender.h"
#include "common/log.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

void Write(absl::Duration duration, google::protobuf::Duration& message) {
  const timespec parts = absl::ToTimespec(duration);
  message.set_seconds(parts.tv_sec);
  message.set_nanos(static_cast<int32_t>(parts.tv_nsec));
}

absl::Status NotMaster() { return absl::FailedPreconditionError("this node is not the master"); }

}  // namespace

Pairing Conntrack::MakePairing() {
  return {[this] { return Stand(); },
          [this](Done done) { Settle(std::move(done)); },
          [this](Done done) { Resynchronise(std::move(done)); },
          [this] { return Alone(); },
          [this] { return Stats(); },
          [this](uint64_t differing) {
            ++verifications_;
            differing_ += differing;
          }};
}

absl::StatusOr<Standing> Conntrack::Stand() const {
  const std::string problem = Problem();
  if (!problem.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("there are no two tables that should be equal right now: ", problem));
  }
  return Standing{options_.node_name, role_ == core::Role::kMaster, *filter_,
                  LocalAddresses::Read()};
}

absl::StatusOr<Scope> Conntrack::Alone() const {
  ZC_ASSIGN_OR_RETURN(Filter filter, Filter::Make(options_.own_addresses, rules_));
  return Scope(std::move(filter), LocalAddresses::Read(), LocalAddresses());
}

v1::ReplicationStats Conntrack::Stats() const {
  const core::ConntrackState state = Describe();
  v1::ReplicationStats stats;
  stats.set_enabled(replicate_);
  stats.set_master(role_ == core::Role::kMaster);
  stats.set_synchronised(state.synchronised);
  stats.set_problem(state.problem);
  stats.set_flows(state.flows);
  stats.set_changes(state.changes);
  stats.set_snapshots(state.snapshots);
  stats.set_overruns(state.overruns);
  stats.set_refused(state.refused);
  stats.set_missing(state.missing);
  stats.set_verifications(state.verifications);
  stats.set_differing(state.differing);
  stats.set_repairs(state.repairs);
  const bool leads = role_ == core::Role::kMaster;
  if (injector_) {
    stats.set_gave_way(injector_->conflicts());
    stats.set_memory(leads ? changes_->Memory() : injector_->memory());
  }
  Sender::Volume sent{batches_before_, bytes_before_};
  if (const std::shared_ptr<Sender> sender = this->sender()) {
    sent.batches += sender->sent().batches;
    sent.bytes += sender->sent().bytes;
  }
  stats.set_batches(sent.batches);
  stats.set_bytes(sent.bytes);
  if (!leads || !state.synchronised) return stats;
  Write(state.lag, *stats.mutable_lag());
  if (equal_since_ < Loop::Now()) Write(Loop::Now() - equal_since_, *stats.mutable_equal_for());
  return stats;
}

void Conntrack::Settle(Done done) {
  if (role_ != core::Role::kMaster) return done(NotMaster());
  WhenFlushed(std::move(done));
}

void Conntrack::Resynchronise(Done done) {
  if (role_ != core::Role::kMaster) return done(NotMaster());
  if (!capture_) return done(absl::FailedPreconditionError(Problem()));
  ++repairs_;
  log::Warning("conntrack_repair", {{"why", "an operator asked for it"}});
  awaited_snapshots_.push_back({changes_->Snapshots(), std::move(done)});
  capture_->RequestSnapshot();
}

void Conntrack::AdvanceSnapshots() {
  const std::shared_ptr<Sender> sender = this->sender();
  if (awaited_snapshots_.empty() || !sender) return;
  // In this order: a snapshot opens before the sender knows, and closes before it is acknowledged.
  if (changes_->SnapshotOpen() || !sender->synchronised()) return;
  const uint64_t snapshots = changes_->Snapshots();
  awaited_snapshots_.remove_if([snapshots](const PendingSnapshot& awaited) {
    if (snapshots <= awaited.before) return false;
    awaited.done(absl::OkStatus());
    return true;
  });
}

}  // namespace zcluster::conntrack
