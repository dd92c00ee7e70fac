// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "agent/conntrack/buckets.h"
#include "agent/conntrack/flow.h"
#include "agent/conntrack/scope.h"

namespace zcluster::conntrack {

// A kernel's table under comparison, this node's or the peer's. All flows that it tells are
// canonical and replicated. Calls may take seconds. One thread.
class Table {
 public:
  virtual ~Table() = default;

  // So many flows at most are told or asked for at a time.
  static constexpr size_t kMaxPart = 1024;

  struct Sums {
    Counts counts;
    Buckets buckets;
  };
  // Reads the whole table into `sums`, which must be new.
  virtual absl::Status Sum(Sums& sums) = 0;
  // Shows the flows of these buckets, a part at a time, each as it is when its part is made. A flow
  // may be shown twice.
  virtual absl::Status Read(const BucketSet& buckets,
                            absl::FunctionRef<void(absl::Span<const Flow>)> show) = 0;
  // What is there right now under these keys, at most kMaxPart of them, in their order.
  using Found = std::vector<std::optional<Flow>>;
  virtual absl::StatusOr<Found> Look(absl::Span<const FlowKey> keys) = 0;
};

}  // namespace zcluster::conntrack
