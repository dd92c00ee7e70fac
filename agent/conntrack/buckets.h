// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "agent/conntrack/canonical.h"
#include "agent/conntrack/flow.h"

namespace zcluster::v1 {
class ReadBucketsRequest;
class TableSums;
}  // namespace zcluster::v1

namespace zcluster::conntrack {

// Into so many parts a table is divided by its flows' keys, so that two tables of which little
// differs need not be told whole: 244 flows a bucket at a million.
inline constexpr size_t kBuckets = 4096;
using BucketSet = std::bitset<kBuckets>;

// The bucket of a flow.
size_t BucketOf(const FlowKey& key);

// A table as a count and a sum for each bucket, which do not depend on order. 80 KiB. One thread.
class Buckets {
 public:
  // A flow that is canonical.
  void Add(const Flow& canonical);

  // Where the other table's are not the same.
  BucketSet Differing(const Buckets& other) const;
  // Flows in these buckets.
  uint64_t Flows(const BucketSet& buckets) const;

  void Write(v1::TableSums& message) const;
  // What a peer sent. INVALID_ARGUMENT if it is not exactly as many as there must be.
  absl::Status Read(const v1::TableSums& message);

 private:
  struct Bucket {
    uint32_t flows = 0;
    uint64_t low = 0;
    uint64_t high = 0;
    bool operator==(const Bucket&) const = default;
  };
  Imprint imprint_;
  std::array<Bucket, kBuckets> buckets_{};
};

void Write(const BucketSet& buckets, v1::ReadBucketsRequest& message);
// INVALID_ARGUMENT names what is no bucket.
absl::Status Read(const v1::ReadBucketsRequest& message, BucketSet& buckets);

}  // namespace zcluster::conntrack
