// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "agent/conntrack/flow.h"

namespace zcluster::v1 {
class Flow;
class FlowBatch;
}  // namespace zcluster::v1

// Flows as they travel (zcluster/v1/conntrack.proto).
namespace zcluster::conntrack {

inline constexpr int kMaxFlowsInBatch = 4096;

// The backup's initial metadata, by which it says that it takes every kind of flow.
inline constexpr char kTakesKey[] = "zcluster-flows";
inline constexpr char kTakesAll[] = "2";

void Write(const Flow& flow, v1::Flow& message);

// Reads what the peer sent. INVALID_ARGUMENT names the first flow and field that breaks a bound;
// `flows` is then empty.
absl::Status Read(const v1::FlowBatch& message, std::vector<Flow>& flows);
// The same of at most `most` flows of another message.
absl::Status Read(const google::protobuf::RepeatedPtrField<v1::Flow>& messages, size_t most,
                  std::vector<Flow>& flows);

// What a stream's batches must obey together: numbers without gaps, a possible term, a snapshot
// first.
class BatchOrder {
 public:
  // INVALID_ARGUMENT if `message` is not the one that must come now.
  absl::Status Check(const v1::FlowBatch& message);

 private:
  uint64_t sequence_ = 0;
  bool in_snapshot_ = false;
};

}  // namespace zcluster::conntrack
