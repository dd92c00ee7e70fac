// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/buckets.h"

#include "tests/agent/conntrack/node.h"
#include "zcluster/v1/comparison.pb.h"

namespace zcluster::conntrack {
namespace {

Buckets Of(const std::vector<Flow>& flows) {
  Buckets buckets;
  for (const Flow& flow : flows) buckets.Add(flow);
  return buckets;
}

TEST(Buckets, DoNotDependOnOrder) {
  std::vector<Flow> flows = NattedFlows(3000);
  const Buckets forwards = Of(flows);
  std::reverse(flows.begin(), flows.end());
  EXPECT_TRUE(forwards.Differing(Of(flows)).none());
}

TEST(Buckets, TellWhereAFlowDiffers) {
  std::vector<Flow> flows = NattedFlows(3000);
  const Buckets before = Of(flows);
  flows[7].mark = 1;
  flows.pop_back();
  BucketSet expected;
  expected.set(BucketOf(flows[7].key)).set(BucketOf(Natted(2999).key));
  EXPECT_EQ(before.Differing(Of(flows)), expected);
  EXPECT_GE(before.Flows(expected), 2u);
}

TEST(Buckets, DifferWhereTwoFlowsChangedPlaces) {
  std::vector<Flow> flows = NattedFlows(2);
  flows[0].mark = 1;
  std::vector<Flow> others = NattedFlows(2);
  others[1].mark = 1;
  EXPECT_TRUE(Of(flows).Differing(Of(others)).any());
}

TEST(Buckets, AreReadAsTheyWereWritten) {
  const Buckets buckets = Of(NattedFlows(3000));
  v1::TableSums message;
  buckets.Write(message);
  Buckets read;
  ASSERT_TRUE(read.Read(message).ok());
  EXPECT_TRUE(buckets.Differing(read).none());
}

TEST(Buckets, OfAnotherNumberAreRefused) {
  v1::TableSums message;
  Of({}).Write(message);
  Buckets read;
  message.add_flows(1);
  EXPECT_TRUE(absl::IsInvalidArgument(read.Read(message)));
  EXPECT_TRUE(absl::IsInvalidArgument(read.Read(v1::TableSums())));
  message.mutable_flows()->RemoveLast();
  message.add_sums(1);
  EXPECT_TRUE(absl::IsInvalidArgument(read.Read(message)));
}

TEST(Buckets, AreAskedForByTheirNumbers) {
  BucketSet wanted, read;
  wanted.set(0).set(77).set(kBuckets - 1);
  v1::ReadBucketsRequest request;
  Write(wanted, request);
  ASSERT_TRUE(Read(request, read).ok());
  EXPECT_EQ(read, wanted);
  request.add_buckets(kBuckets);
  EXPECT_TRUE(absl::IsInvalidArgument(Read(request, read)));
  EXPECT_TRUE(absl::IsInvalidArgument(Read(v1::ReadBucketsRequest(), read)));
}

}  // namespace
}  // namespace zcluster::conntrack
