// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/replication.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace zcluster::sim {

using core::Role;

Replication::Replication(Clock& clock, Random& random, bool has_roots,
                         std::function<bool()> link_lives, std::array<Side, 2> sides)
    : clock_(clock),
      random_(random),
      has_roots_(has_roots),
      link_lives_(std::move(link_lives)),
      sides_(std::move(sides)) {}

int Replication::Master() const {
  if (!link_lives_()) return -1;
  for (int node : {0, 1}) {
    const Part& sends = parts_[Index(node)];
    const Part& receives = parts_[Index(1 - node)];
    const bool listens = receives.role == Role::kBackup || receives.role == Role::kMaintenance;
    if (sends.role == Role::kMaster && listens && receives.term <= sends.term) return node;
  }
  return -1;
}

bool Replication::CanMerge(int node) const {
  return link_lives_() && parts_[Index(node)].merges &&
         parts_[Index(1 - node)].role == Role::kMaster;
}

void Replication::Merge(int node) {
  Part& part = parts_[Index(node)];
  if (part.merge_under_way || !CanMerge(node)) return;
  part.merge_under_way = true;
  clock_.After(random_.Between(absl::Milliseconds(1), absl::Milliseconds(1500)), [this, node] {
    parts_[Index(node)].merge_under_way = false;
    if (CanMerge(node)) sides_[Index(node)].report(core::Merged{});
  });
}

void Replication::Review() {
  for (int node : {0, 1}) Merge(node);
  const int master = Master();
  if (master == master_) return;
  master_ = master;
  ++attempt_;
  if (std::exchange(in_step_, false)) {
    Tell(0);
    Tell(1);
  }
  if (master < 0) return;
  clock_.After(random_.Between(absl::Milliseconds(50), absl::Seconds(3)),
               [this, attempt = attempt_] { ComeIntoStep(attempt); });
}

void Replication::ComeIntoStep(uint64_t attempt) {
  if (attempt != attempt_) return;
  in_step_ = true;
  if (random_.OneIn(2)) ++files_[Index(master_)];  // somebody edited there meanwhile
  files_[Index(1 - master_)] = files_[Index(master_)];
  for (int node : {0, 1}) {
    Tell(node);
    AnswerFlushes(node);
  }
}

void Replication::Tell(int node) {
  core::ConntrackState conntrack;
  conntrack.synchronised = in_step_;
  conntrack.flows = random_.Below(100000);
  conntrack.changes = ++changes_;
  if (!in_step_) conntrack.problem = "waiting for the peer";
  sides_[Index(node)].report(core::ConntrackReported{conntrack});
  if (!has_roots_) return;
  core::RootState root;
  root.path = "/etc/service";
  root.local_digest = absl::StrCat(files_[Index(node)]);
  if (in_step_) root.remote_digest = absl::StrCat(files_[Index(1 - node)]);
  sides_[Index(node)].report(core::RootsReported{{root}});
}

void Replication::AssumeRole(int node, const core::AssumeRole& order) {
  Part& part = parts_[Index(node)];
  part.role = order.merge ? Role::kUnknown : order.role;
  part.term = order.term;
  part.merges = order.merge;
  Review();
}

void Replication::Flush(int node, core::OperationId operation, core::Replicator replicator) {
  parts_[Index(node)].flushes.push_back({operation, replicator});
  if (in_step_) AnswerFlushes(node);
}

void Replication::AnswerFlushes(int node) {
  for (const core::Flushed& flushed : std::exchange(parts_[Index(node)].flushes, {})) {
    clock_.After(random_.Between(absl::Milliseconds(1), absl::Milliseconds(50)),
                 [this, node, flushed, attempt = attempt_] {
                   if (attempt == attempt_) sides_[Index(node)].report(flushed);
                 });
  }
}

void Replication::AgentStarted(int node) { Tell(node); }

void Replication::AgentDied(int node) {
  Part& part = parts_[Index(node)];
  const bool under_way = part.merge_under_way;
  part = Part{};
  part.merge_under_way = under_way;
  Review();
}

}  // namespace zcluster::sim
