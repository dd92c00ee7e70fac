// SPDX-License-Identifier: Apache-2.0
// The backup's kernel has no room: it is told with the numbers on both nodes, the others go on, and
// it ends by itself.
#include "agent/core/readiness.h"
#include "agent/core/status.h"
#include "gmock/gmock.h"
#include "tests/agent/conntrack/crowd.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

using core::Role;
using testing::HasSubstr;

// A node of the pair, as its core would show it.
core::NodeView Shown(const Node& node, Role role) {
  core::State state;
  state.config.node_name = "node1";
  state.config.peer_name = "node2";
  state.config.replicate_conntrack = true;
  state.role = role;
  state.peer.connected = true;
  state.peer.told = core::NodeState();
  state.peer.told->role = role == Role::kMaster ? Role::kBackup : Role::kMaster;
  state.conntrack = node.State();
  state.peer.told->conntrack = state.conntrack;
  return core::LocalNode(state);
}

class FullTable : public testing::Test {
 protected:
  static constexpr int kHeld = 500;
  static constexpr int kMissing = 3000;

  FullTable() {
    EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, NattedFlows(kHeld)), 0U);
    pair_.Appoint(pair_.a, 1);
    pair_.ExpectEqual(kHeld);
    crowd_ = std::make_unique<Crowd>(pair_.b.netns());
    EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, NattedFlows(kMissing, "10.1.0.2", 1000)), 0U);
    ExpectMissing(kMissing);
  }

  // Both nodes say so.
  void ExpectMissing(uint64_t flows) {
    core::ConntrackState a, b;
    EXPECT_TRUE(WaitUntil(Pair::kPatience,
                          [&] {
                            a = pair_.a.State();
                            b = pair_.b.State();
                            return a.missing == flows && b.missing == flows;
                          }))
        << a.missing << " and " << b.missing << ", expected " << flows;
  }

  Pair pair_;
  std::unique_ptr<Crowd> crowd_;
};

TEST_F(FullTable, IsToldOnBothNodesAndEndsByItself) {
  EXPECT_EQ(pair_.a.State().table_maximum, crowd_->maximum());
  EXPECT_EQ(pair_.b.State().table_maximum, crowd_->maximum());
  EXPECT_GE(pair_.a.State().refused, uint64_t{kMissing});
  for (const auto& [node, role, name] : {std::tuple{&pair_.a, Role::kMaster, "node2"},
                                         std::tuple{&pair_.b, Role::kBackup, "node1"}}) {
    const core::NodeView shown = Shown(*node, role);
    EXPECT_EQ(shown.status, core::Status::kRed);
    EXPECT_THAT(shown.message, HasSubstr(absl::StrCat("3,000 connections are missing on ", name,
                                                      ": its kernel's table is full (")));
  }

  // What is held goes on.
  std::vector<Flow> held = NattedFlows(kHeld);
  for (Flow& flow : held) flow.mark = 5;
  ASSERT_EQ(Change(pair_.a.netns(), Verb::kUpdate, held), 0U);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    const auto table = Dump(pair_.b.netns());
    return std::all_of(held.begin(), held.end(),
                       [&](const Flow& flow) { return table.count(Describe(flow)) == 1; });
  }));

  // Whoever ends makes room for one that is missing.
  held.resize(200);
  ASSERT_EQ(Change(pair_.a.netns(), Verb::kDelete, held), 0U);
  ExpectMissing(kMissing - 200);
  EXPECT_EQ(pair_.b.State().flows, uint64_t{kHeld});

  crowd_->LeaveAll();
  ExpectMissing(0);
  pair_.ExpectEqual(kHeld - 200 + kMissing);
  EXPECT_EQ(pair_.a.State().table_maximum + pair_.b.State().table_maximum, 0U);
  EXPECT_EQ(Shown(pair_.b, Role::kBackup).message.find("missing"), std::string::npos);
  EXPECT_EQ(Shown(pair_.a, Role::kMaster).message.find("missing"), std::string::npos);
}

TEST_F(FullTable, WhatTheKernelDroppedMeanwhileComesBack) {
  // As it does, to have room for others, with what is not assured.
  ASSERT_EQ(Change(pair_.b.netns(), Verb::kDelete, NattedFlows(100)), 0U);
  crowd_->LeaveAll();
  ExpectMissing(0);
  pair_.ExpectEqual(kHeld + kMissing);
}

TEST_F(FullTable, IsNoMatterForTheSnapshotThatBeginsAnew) {
  pair_.b.StopServing();
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return !pair_.a.State().synchronised; }));
  pair_.b.Serve();
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return pair_.a.State().synchronised && pair_.b.State().synchronised;
  }));
  ExpectMissing(kMissing);
  crowd_->LeaveAll();
  ExpectMissing(0);
  pair_.ExpectEqual(kHeld + kMissing);
}

}  // namespace
}  // namespace zcluster::conntrack
