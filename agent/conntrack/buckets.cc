// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/buckets.h"

#include <xxhash.h>

#include "absl/strings/str_cat.h"
#include "zcluster/v1/comparison.pb.h"

namespace zcluster::conntrack {

size_t BucketOf(const FlowKey& key) { return XXH3_64bits(&key, sizeof key) % kBuckets; }

void Buckets::Add(const Flow& canonical) {
  Bucket& bucket = buckets_[BucketOf(canonical.key)];
  const Imprint::Word word = imprint_.Of(canonical);
  ++bucket.flows;
  bucket.low += word.low;
  bucket.high += word.high;
}

BucketSet Buckets::Differing(const Buckets& other) const {
  BucketSet differing;
  for (size_t i = 0; i < kBuckets; ++i) differing[i] = buckets_[i] != other.buckets_[i];
  return differing;
}

uint64_t Buckets::Flows(const BucketSet& buckets) const {
  uint64_t flows = 0;
  for (size_t i = 0; i < kBuckets; ++i) flows += buckets[i] ? buckets_[i].flows : 0;
  return flows;
}

void Buckets::Write(v1::TableSums& message) const {
  for (const Bucket& bucket : buckets_) {
    message.add_flows(bucket.flows);
    message.add_sums(bucket.low);
    message.add_sums(bucket.high);
  }
}

absl::Status Buckets::Read(const v1::TableSums& message) {
  if (message.flows_size() != kBuckets || message.sums_size() != 2 * kBuckets) {
    return absl::InvalidArgumentError(absl::StrCat("flows, sums: ", message.flows_size(), " and ",
                                                   message.sums_size(), " numbers; expected ",
                                                   kBuckets, " and ", 2 * kBuckets));
  }
  for (size_t i = 0; i < kBuckets; ++i) {
    const int at = static_cast<int>(i);
    buckets_[i] = {message.flows(at), message.sums(2 * at), message.sums(2 * at + 1)};
  }
  return absl::OkStatus();
}

void Write(const BucketSet& buckets, v1::ReadBucketsRequest& message) {
  for (size_t i = 0; i < kBuckets; ++i) {
    if (buckets[i]) message.add_buckets(static_cast<uint32_t>(i));
  }
}

absl::Status Read(const v1::ReadBucketsRequest& message, BucketSet& buckets) {
  buckets.reset();
  if (message.buckets().empty() || message.buckets_size() > static_cast<int>(kBuckets)) {
    return absl::InvalidArgumentError(
        absl::StrCat("buckets: ", message.buckets_size(), " of them; expected 1 to ", kBuckets));
  }
  for (const uint32_t bucket : message.buckets()) {
    if (bucket >= kBuckets) {
      return absl::InvalidArgumentError(
          absl::StrCat("buckets: ", bucket, "; expected 0 to ", kBuckets - 1));
    }
    buckets.set(bucket);
  }
  return absl::OkStatus();
}

}  // namespace zcluster::conntrack
