// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/flow_table.h"

#include "agent/conntrack/digest.h"
#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

using Step = FlowTable::Change;

TEST(FlowTable, SaysWhatMakesTheKernelsEntryTheMasters) {
  FlowTable table;
  Flow whole;
  Flow flow = Natted(0);
  EXPECT_EQ(table.Name(flow, whole), Step::kCreate);
  EXPECT_EQ(table.Name(flow, whole), Step::kNone);
  flow.mark = 1;
  EXPECT_EQ(table.Name(flow, whole), Step::kUpdate);
  flow.status &= ~uint32_t{IPS_ASSURED};
  EXPECT_EQ(table.Name(flow, whole), Step::kReplace);
  flow.status |= IPS_ASSURED;
  EXPECT_EQ(table.Name(flow, whole), Step::kUpdate);
  EXPECT_EQ(table.Name(Natted(0, "10.1.0.3"), whole), Step::kReplace);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_TRUE(table.End(flow.key));
  EXPECT_FALSE(table.End(flow.key));
}

TEST(FlowTable, RemembersWhatAnUpdateLeavesOut) {
  FlowTable table;
  Flow whole;
  Flow flow = Natted(0);
  table.Name(flow, whole);
  flow.has_tcp = false;
  flow.tcp = {};
  flow.mark = 2;
  EXPECT_EQ(table.Name(flow, whole), Step::kUpdate);
  EXPECT_TRUE(whole.has_tcp);
  EXPECT_EQ(whole.tcp, Natted(0).tcp);
}

TEST(FlowTable, AnAdoptedEntryThatIsNotHeldIsUpdated) {
  FlowTable table;
  Flow whole;
  table.Adopt(Natted(0), false);
  table.Adopt(Natted(1), true);
  Flow liberal = Natted(1);
  liberal.tcp.original_flags |= IP_CT_TCP_FLAG_BE_LIBERAL;  // ours, not the master's
  EXPECT_EQ(table.Name(Natted(0), whole), Step::kUpdate);
  EXPECT_EQ(table.Name(liberal, whole), Step::kNone);
}

TEST(FlowTable, WhatFewHaveIsUpdatedOrMadeAnewAndForgottenWithTheFlow) {
  FlowTable table;
  Flow whole;
  const Flow flow = Natted(0);
  table.Name(flow, whole);
  EXPECT_EQ(table.Name(WithShift(flow, 1), whole), Step::kUpdate);
  EXPECT_EQ(table.Name(WithShift(flow, 1), whole), Step::kNone);
  EXPECT_EQ(table.Name(WithShift(flow, 2), whole), Step::kUpdate);
  EXPECT_EQ(table.Name(WithHelper(WithShift(flow, 2), "ftp"), whole), Step::kReplace);
  EXPECT_EQ(table.Name(WithMaster(flow, Natted(1).key), whole), Step::kReplace);
  EXPECT_EQ(table.Name(WithMaster(WithShift(flow, 3), Natted(1).key), whole), Step::kUpdate);
  EXPECT_EQ(table.Name(WithMaster(flow, Natted(1).key), whole), Step::kReplace);
  EXPECT_TRUE(table.Find(flow.key, whole));
  EXPECT_EQ(Describe(whole), Describe(WithMaster(flow, Natted(1).key)));
  EXPECT_TRUE(table.End(flow.key));
  EXPECT_EQ(table.digest(), 0U);
  EXPECT_EQ(table.Name(flow, whole), Step::kCreate);
  EXPECT_TRUE(table.Find(flow.key, whole));
  EXPECT_EQ(whole.rare, nullptr);
}

TEST(FlowTable, LabelsThatTheMasterDoesNotNameAreNoDifference) {
  FlowTable table;
  Flow whole;
  table.Adopt(WithLabels(Natted(0), 1), true);
  EXPECT_EQ(table.Name(Natted(0), whole), Step::kNone);
  table.Adopt(WithLabels(WithShift(Natted(1), 4), 1), true);
  EXPECT_EQ(table.Name(WithShift(Natted(1), 4), whole), Step::kNone);
  EXPECT_EQ(table.Name(WithLabels(Natted(0), 2), whole), Step::kUpdate);
}

TEST(FlowTable, WhatTheKernelRefusesIsMissingUntilItIsTriedOrNamedAgainOrEnds) {
  FlowTable table;
  Flow whole;
  for (int i = 0; i < 3; ++i) table.Name(WithShift(Natted(i), 1), whole);
  const uint64_t all = table.digest();
  table.Refuse(Natted(1).key);
  table.Refuse(Natted(1).key);
  table.Refuse(Natted(99).key);  // which is not known
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.Missing(), std::vector<FlowKey>{Natted(1).key});
  EXPECT_EQ(table.digest(), all - DigestOf(WithShift(Natted(1), 1)));
  EXPECT_FALSE(table.Find(Natted(1).key, whole));
  table.ForEach([](const Flow& flow) { EXPECT_NE(flow.key, Natted(1).key); });

  ASSERT_TRUE(table.Retry(Natted(1).key, whole));
  EXPECT_EQ(Describe(whole), Describe(WithShift(Natted(1), 1)));
  EXPECT_FALSE(table.Retry(Natted(1).key, whole));
  EXPECT_EQ(table.digest(), all);

  table.Refuse(Natted(1).key);
  Flow changed = Natted(1);  // an update that is not about TCP's state
  changed.has_tcp = false;
  changed.tcp = {};
  changed.mark = 9;
  EXPECT_EQ(table.Name(changed, whole), Step::kCreate);
  EXPECT_EQ(whole.tcp, Natted(1).tcp);
  EXPECT_EQ(table.missing(), 0U);
  EXPECT_EQ(table.size(), 3U);

  table.Refuse(Natted(1).key);
  EXPECT_FALSE(table.End(Natted(1).key)) << "nothing is in the kernel";
  table.Refuse(Natted(2).key);
  table.ForgetMissing();
  EXPECT_EQ(table.missing(), 0U);
  EXPECT_EQ(table.size(), 1U);
  EXPECT_EQ(table.digest(), DigestOf(WithShift(Natted(0), 1)));
}

TEST(FlowTable, OfWhatIsMissingNoMoreIsKeptThanSoMuch) {
  FlowTable table;
  Flow flow = Natted(0), whole;
  for (size_t i = 0; i <= FlowTable::kMostMissing; ++i) {
    std::memcpy(flow.key.source.data(), &i, 4);
    table.Name(flow, whole);
    table.Refuse(flow.key);
  }
  EXPECT_EQ(table.missing(), FlowTable::kMostMissing);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_EQ(table.digest(), 0U);
}

TEST(FlowTable, SweepsWhatWasNotNamed) {
  FlowTable table;
  Flow whole;
  for (int i = 0; i < 100; ++i) table.Adopt(Natted(i), true);
  for (int i = 0; i < 100; i += 2) table.Name(Natted(i), whole);
  table.Name(Natted(200), whole);
  size_t swept = 0;
  table.Sweep([&](const Flow& flow) {
    EXPECT_EQ(flow.key.source_port % 2, 1);
    ++swept;
  });
  EXPECT_EQ(swept, 50U);
  EXPECT_EQ(table.size(), 51U);
}

}  // namespace
}  // namespace zcluster::conntrack
