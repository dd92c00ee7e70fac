// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/own_table.h"

#include <utility>
#include <vector>

#include "agent/conntrack/canonical.h"
#include "agent/conntrack/snapshot.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

absl::Status Halted() { return absl::CancelledError("the agent of this node stops"); }

}  // namespace

absl::Status WalkTable(const Halt& halt, absl::FunctionRef<bool(absl::Span<const Flow>)> show) {
  Snapshot snapshot;
  ZC_RETURN_IF_ERROR(snapshot.Begin());
  std::vector<Flow> part;
  for (bool more = true; more;) {
    if (halt.IsSet()) return Halted();
    part.clear();
    ZC_ASSIGN_OR_RETURN(more, snapshot.Next(part));
    if (!show(part)) break;
  }
  return absl::OkStatus();
}

absl::Status OwnTable::Sum(Sums& sums) {
  return WalkTable(halt_, [&](absl::Span<const Flow> part) {
    for (const Flow& flow : part) {
      const FlowClass what = scope_.ClassOf(flow);
      sums.counts.Add(what);
      if (Scope::IsReplicated(what)) sums.buckets.Add(Canonical(flow));
    }
    return true;
  });
}

absl::Status OwnTable::Read(const BucketSet& buckets,
                            absl::FunctionRef<void(absl::Span<const Flow>)> show) {
  std::vector<Flow> wanted;
  return WalkTable(halt_, [&](absl::Span<const Flow> part) {
    wanted.clear();
    for (const Flow& flow : part) {
      if (buckets[BucketOf(flow.key)] && Scope::IsReplicated(scope_.ClassOf(flow)))
        wanted.push_back(Canonical(flow));
    }
    if (!wanted.empty()) show(wanted);
    return true;
  });
}

absl::StatusOr<Table::Found> OwnTable::Look(absl::Span<const FlowKey> keys) {
  if (halt_.IsSet()) return Halted();
  if (!kernel_) {
    ZC_ASSIGN_OR_RETURN(KernelWriter kernel, KernelWriter::Open());
    kernel_.emplace(std::move(kernel));
  }
  Found found;
  found.reserve(keys.size());
  for (const FlowKey& key : keys) {
    ZC_ASSIGN_OR_RETURN(const absl::optional<Flow> flow, kernel_->Get(key));
    // The kernel finds a flow by either of its directions; only the original one is its key.
    const bool there = flow && flow->key == key;
    found.push_back(there ? std::optional<Flow>(Canonical(*flow)) : std::nullopt);
  }
  return found;
}

}  // namespace zcluster::conntrack
