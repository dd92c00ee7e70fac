// SPDX-License-Identifier: Apache-2.0
// What comparisons of the two kernels' tables ask of the replication.
#include <utility>

#include "agent/conntrack/capture.h"
#include "agent/conntrack/changes.h"
#include "agent/conntrack/conntrack.h"
#include "agent/conntrack/filter.h"
#include "agent/conntrack/pairing.h"
#include "agent/conntrack/sender.h"
#include "common/log.h"

namespace zcluster::conntrack {
namespace {

absl::Status NotMaster() { return absl::FailedPreconditionError("this node is not the master"); }

}  // namespace

Pairing Conntrack::MakePairing() {
  return {[this] { return Stand(); }, [this](Done done) { Settle(std::move(done)); },
          [this](Done done) { Resynchronise(std::move(done)); },
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
