// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "agent/conntrack/jobs.h"
#include "agent/conntrack/kernel_writer.h"
#include "agent/conntrack/table.h"

namespace zcluster::conntrack {

// Shows this kernel's whole table, a part at a time, until `show` returns false: enough. CANCELLED
// once `halt` is set. Of the network namespace of the calling thread.
absl::Status WalkTable(const Halt& halt, absl::FunctionRef<bool(absl::Span<const Flow>)> show);

// This node's kernel's table, in the network namespace of the calling thread.
class OwnTable : public Table {
 public:
  // `halt` outlives it.
  OwnTable(Scope scope, const Halt& halt) : scope_(std::move(scope)), halt_(halt) {}

  absl::Status Sum(Sums& sums) override;
  absl::Status Read(const BucketSet& buckets,
                    absl::FunctionRef<void(absl::Span<const Flow>)> show) override;
  absl::StatusOr<Found> Look(absl::Span<const FlowKey> keys) override;

 private:
  const Scope scope_;
  const Halt& halt_;
  std::optional<KernelWriter> kernel_;  // once something was looked at
};

}  // namespace zcluster::conntrack
