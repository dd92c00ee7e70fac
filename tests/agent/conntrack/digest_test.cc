// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/digest.h"

#include "agent/conntrack/changes.h"
#include "agent/conntrack/flow_table.h"
#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

TEST(Digest, TellsFlowsApartByAllThatMattersButTcp) {
  const Flow flow = Natted(0);
  EXPECT_NE(DigestOf(flow), DigestOf(Natted(1)));
  EXPECT_NE(DigestOf(flow), DigestOf(Natted(0, "10.1.0.3")));
  Flow other = flow;
  other.mark = 1;
  EXPECT_NE(DigestOf(flow), DigestOf(other));
  other = flow;
  other.status &= ~uint32_t{IPS_ASSURED};
  EXPECT_NE(DigestOf(flow), DigestOf(other));
  for (const Flow& rare :
       {WithLabels(flow, 1), WithLabels(flow, 2), WithHelper(flow, "ftp"), WithShift(flow, 1),
        WithShift(flow, 2), WithMaster(flow, Natted(3).key)}) {
    EXPECT_NE(DigestOf(flow), DigestOf(rare)) << Describe(rare);
  }
  EXPECT_NE(DigestOf(WithLabels(flow, 1)), DigestOf(WithLabels(flow, 2)));
  EXPECT_EQ(DigestOf(WithLabels(flow, 1)), DigestOf(WithLabels(flow, 1)));
  other = flow;
  other.tcp.state = TCP_CONNTRACK_CLOSE;
  other.timeout = other.id = 7;
  EXPECT_EQ(DigestOf(flow), DigestOf(other));
}

// What a master sent, and what its backup makes of it.
class Digests : public testing::Test {
 protected:
  void Snapshot(const std::vector<Flow>& flows) {
    changes_.BeginSnapshot();
    table_.Clear();
    EXPECT_TRUE(changes_.AddFound(flows, absl::UnixEpoch()));
    changes_.EndSnapshot();
    Deliver();
    table_.Sweep([](const Flow&) {});
  }
  void Add(const Flow& flow) { EXPECT_TRUE(changes_.Add({flow}, absl::UnixEpoch())); }
  // All but flows of `skipped`, which the backup keeps out of its kernel.
  void Deliver(const Flow* skipped = nullptr) {
    Changes::Batch batch;
    while (changes_.Take(2, batch)) {
      for (const Flow& flow : batch.flows) {
        Flow whole;
        if (flow.gone) {
          table_.End(flow.key);
        } else if (skipped != nullptr && skipped->key == flow.key) {
          table_.Skip(flow);
        } else {
          table_.Name(flow, whole);
        }
      }
      EXPECT_EQ(batch.digest, table_.digest());
      digest_ = batch.digest;
    }
  }

  Changes changes_{[] {}};
  FlowTable table_;
  uint64_t digest_ = 0;
};

TEST_F(Digests, OfBothAreTheSameWithEachBatch) {
  Snapshot({Natted(0), Natted(1), Natted(2), Natted(3), Natted(4)});
  const uint64_t before = digest_;
  EXPECT_NE(before, 0U);
  Flow changed = Natted(1);
  changed.mark = 3;
  changed.has_tcp = false;
  changed.tcp = {};
  Add(changed);
  Add(Natted(5));
  Deliver();
  EXPECT_NE(digest_, before);
  Flow gone = Natted(5);
  gone.gone = true;
  Add(gone);
  Add(Natted(1));
  Deliver();
  EXPECT_EQ(digest_, before);
}

TEST_F(Digests, CountWhatTheBackupSkips) {
  Snapshot({Natted(0)});
  const Flow local = Natted(7);
  Add(local);
  Deliver(&local);
  EXPECT_EQ(table_.size(), 1U);
  Flow gone = local;
  gone.gone = true;
  Add(gone);
  Deliver();
  EXPECT_EQ(digest_, DigestOf(Natted(0)));
}

TEST_F(Digests, DoNotCountWhatTheKernelHadBefore) {
  changes_.BeginSnapshot();
  table_.Adopt(Natted(9), true);
  table_.Adopt(Natted(0), true);
  EXPECT_TRUE(changes_.AddFound({Natted(0), Natted(1)}, absl::UnixEpoch()));
  changes_.EndSnapshot();
  Deliver();
  EXPECT_EQ(digest_, DigestOf(Natted(0)) + DigestOf(Natted(1)));
}

TEST_F(Digests, BeginAnewWithASnapshot) {
  Snapshot({Natted(0), Natted(1)});
  Snapshot({Natted(1)});
  EXPECT_EQ(digest_, DigestOf(Natted(1)));
}

}  // namespace
}  // namespace zcluster::conntrack
