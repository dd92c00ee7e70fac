// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/own_table.h"

#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

class OwnTableTest : public testing::Test {
 protected:
  OwnTableTest() { EXPECT_EQ(Change(netns_, Verb::kCreate, NattedFlows(500)), 0U); }

  const Netns netns_;
  Halt halt_;
  const Scope scope_{*Filter::Make({}), {}, {}};
};

TEST_F(OwnTableTest, IsReadBucketByBucket) {
  netns_.Run([this] {
    OwnTable table(scope_, halt_);
    Table::Sums sums;
    ASSERT_TRUE(table.Sum(sums).ok());
    EXPECT_EQ(sums.counts.translated, 500u);
    BucketSet wanted;
    wanted.set(BucketOf(Natted(1).key)).set(BucketOf(Natted(2).key));
    uint64_t read = 0;
    ASSERT_TRUE(table
                    .Read(wanted,
                          [&](absl::Span<const Flow> part) {
                            read += part.size();
                            for (const Flow& flow : part) EXPECT_TRUE(wanted[BucketOf(flow.key)]);
                          })
                    .ok());
    EXPECT_EQ(read, sums.buckets.Flows(wanted));
  });
}

TEST_F(OwnTableTest, ShowsAFlowUnderItsKeyAlone) {
  // The kernel finds a flow by its reply direction too.
  FlowKey reply = Natted(1).key;
  reply.source = Natted(1).reply.source;
  reply.source_port = Natted(1).reply.source_port;
  reply.destination = Natted(1).reply.destination;
  reply.destination_port = Natted(1).reply.destination_port;
  netns_.Run([&] {
    OwnTable table(scope_, halt_);
    const std::vector<FlowKey> keys = {Natted(1).key, reply, Natted(777).key};
    const absl::StatusOr<Table::Found> found = table.Look(keys);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(found->size(), 3u);
    EXPECT_TRUE((*found)[0].has_value());
    EXPECT_FALSE((*found)[1].has_value());
    EXPECT_FALSE((*found)[2].has_value());
  });
}

TEST_F(OwnTableTest, IsReadNoFurtherOnceHalted) {
  halt_.Set();
  netns_.Run([this] {
    OwnTable table(scope_, halt_);
    Table::Sums sums;
    EXPECT_TRUE(absl::IsCancelled(table.Sum(sums)));
    EXPECT_TRUE(absl::IsCancelled(table.Look({}).status()));
  });
}

}  // namespace
}  // namespace zcluster::conntrack
