// SPDX-License-Identifier: Apache-2.0
// FlowService/Verify and Repair on pairs of nodes: two real kernel tables, two adapters, gRPC
// between them.
#include "agent/conntrack/verification.h"

#include <gmock/gmock.h>

#include "tests/agent/conntrack/node.h"
#include "zcluster/v1/comparison.grpc.pb.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::conntrack {
namespace {

using core::Role;
using testing::HasSubstr;

struct Outcome {
  grpc::Status status;
  v1::VerifiedFlows result;
  std::vector<std::string> steps;
  bool Equal() const { return status.ok() && result.differing() == 0 && result.unexamined() == 0; }
};

std::unique_ptr<v1::FlowService::Stub> Dial(const Node& node) {
  return v1::FlowService::NewStub(
      grpc::CreateChannel(node.address(), grpc::InsecureChannelCredentials()));
}

Outcome Verify(const Node& node, uint32_t limit = 0) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  v1::VerifyFlowsRequest request;
  request.set_limit(limit);
  const auto stub = Dial(node);
  const auto reader = stub->Verify(&context, request);
  Outcome outcome;
  v1::VerifyFlowsProgress progress;
  while (reader->Read(&progress)) {
    if (progress.has_result()) {
      outcome.result = progress.result();
    } else {
      outcome.steps.push_back(progress.step());
    }
  }
  outcome.status = reader->Finish();
  EXPECT_TRUE(outcome.status.ok() || !outcome.status.error_message().empty());
  return outcome;
}

grpc::Status Repair(const Node& node) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  v1::RepairFlowsResponse response;
  return Dial(node)->Repair(&context, v1::RepairFlowsRequest(), &response);
}

// Snapshots that a node has made or been sent, right now.
uint64_t Snapshots(const Node& node) {
  grpc::ClientContext context;
  v1::FlowStats stats;
  EXPECT_TRUE(Dial(node)->Stats(&context, v1::FlowStatsRequest(), &stats).ok());
  return stats.replication().snapshots();
}

Options Named() { return {.node_name = "node1", .own_addresses = {"10.7.0.1", "10.7.0.2"}}; }

class VerifyTest : public testing::Test {
 protected:
  VerifyTest() { pair_.Appoint(pair_.a, 1); }
  void Make(const std::vector<Flow>& flows) {
    ASSERT_EQ(Change(pair_.a.netns(), Verb::kCreate, flows), 0U);
  }

  Pair pair_{Named()};
};

TEST_F(VerifyTest, EqualTablesAreSaidToBeOnBothNodes) {
  Make(NattedFlows(3000));
  Make({Plain(Key(IPPROTO_UDP, "2001:db8::7", 1, "2001:db8::8", 2)),
        Plain(Key(IPPROTO_ICMP, "198.51.100.7", 77, "192.0.2.10", 8 << 8))});
  pair_.ExpectEqual(3002);
  for (const Node* node : {&pair_.a, &pair_.b}) {
    const Outcome outcome = Verify(*node);
    EXPECT_TRUE(outcome.Equal()) << outcome.status.error_message() << outcome.result.DebugString();
    EXPECT_EQ(outcome.result.master().counts().translated(), 3000u);
    EXPECT_EQ(outcome.result.standby().counts().translated(), 3000u);
    EXPECT_EQ(outcome.result.standby().counts().forwarded(), 2u);
    EXPECT_EQ(outcome.result.in_motion(), 0u);
    EXPECT_GE(outcome.steps.size(), 1u);
  }
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] {
    return pair_.a.State().verifications == 1 && pair_.b.State().verifications == 1;
  }));
  EXPECT_EQ(pair_.a.State().differing, 0u);
}

TEST_F(VerifyTest, AFlowThatTheBackupLostIsNamed) {
  Make(NattedFlows(3000));
  pair_.ExpectEqual(3000);
  ASSERT_EQ(Change(pair_.b.netns(), Verb::kDelete, {Natted(7)}), 0U);
  for (const Node* node : {&pair_.a, &pair_.b}) {
    const Outcome outcome = Verify(*node);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.error_message();
    ASSERT_EQ(outcome.result.differing(), 1u);
    EXPECT_EQ(outcome.result.differences(0).master().source_port(), 1024u + 7);
    EXPECT_FALSE(outcome.result.differences(0).has_standby());
  }
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return pair_.a.State().differing == 1; }));
}

TEST_F(VerifyTest, AFlowWithAnotherMarkAndOneWithAnotherBackendAreNamed) {
  Make(NattedFlows(3000));
  pair_.ExpectEqual(3000);
  Flow marked = Natted(1);
  marked.mark = 9;
  Flow elsewhere = Natted(2);
  elsewhere.reply.source = Ip("10.1.0.3");
  ASSERT_EQ(Change(pair_.b.netns(), Verb::kUpdate, {marked}), 0U);
  ASSERT_EQ(Change(pair_.b.netns(), Verb::kDelete, {elsewhere}), 0U);
  ASSERT_EQ(Change(pair_.b.netns(), Verb::kCreate, {elsewhere}), 0U);
  const Outcome outcome = Verify(pair_.a);
  ASSERT_EQ(outcome.result.differing(), 2u) << outcome.status.error_message();
  int found = 0;
  for (const v1::FlowDifference& difference : outcome.result.differences()) {
    const bool is_marked = difference.standby().mark() == 9 && difference.master().mark() == 0;
    const bool is_elsewhere = difference.standby().reply_source_v4() == 0x0a010003 &&
                              difference.master().reply_source_v4() == 0x0a010002;
    found += is_marked ? 1 : is_elsewhere ? 10 : 100;
  }
  EXPECT_EQ(found, 11);
}

TEST_F(VerifyTest, WhatTheBackupAloneHasIsNamed) {
  Make(NattedFlows(10));
  pair_.ExpectEqual(10);
  ASSERT_EQ(Change(pair_.b.netns(), Verb::kCreate, {Natted(777)}), 0U);
  const Outcome outcome = Verify(pair_.b);
  ASSERT_EQ(outcome.result.differing(), 1u) << outcome.status.error_message();
  EXPECT_FALSE(outcome.result.differences(0).has_master());
}

TEST(Verify, FlowsThatNobodyReplicatesAreCountedApart) {
  Pair pair(Named());
  pair.b.netns().Shell("ip link set lo up && ip addr add 10.7.0.2/24 dev lo");
  pair.a.netns().Shell("ip link set lo up && ip addr add 10.7.0.1/24 dev lo");
  pair.Appoint(pair.a, 1);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(10)), 0U);
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate,
                   {Plain(Key(IPPROTO_TCP, "10.7.0.9", 40000, "10.7.0.2", 22)),
                    Plain(Key(IPPROTO_TCP, "10.7.0.9", 40001, "10.7.0.1", 22)),
                    Plain(Key(IPPROTO_TCP, "10.7.0.1", 40002, "10.7.0.2", 7700))}),
            0U);
  ASSERT_EQ(Change(pair.b.netns(), Verb::kCreate,
                   {Plain(Key(IPPROTO_TCP, "10.7.0.8", 40000, "10.7.0.2", 22))}),
            0U);
  ASSERT_TRUE(WaitUntil(Pair::kPatience, [&] { return Texts(pair.b.netns()).size() == 12; }));
  const Outcome outcome = Verify(pair.a);
  EXPECT_TRUE(outcome.Equal()) << outcome.status.error_message() << outcome.result.DebugString();
  const v1::ClassCounts& master = outcome.result.master().counts();
  EXPECT_EQ(master.translated(), 10u);
  EXPECT_EQ(master.ends_on_master(), 1u);
  EXPECT_EQ(master.ends_on_standby(), 1u);
  EXPECT_EQ(master.own(), 1u);
  EXPECT_EQ(outcome.result.standby().counts().ends_on_standby(), 1u);
}

TEST_F(VerifyTest, TrafficIsNoDifference) {
  Make(NattedFlows(2000));
  pair_.ExpectEqual(2000);
  std::atomic<bool> enough{false};
  std::thread traffic([&] {
    for (int i = 0; !enough; ++i) {
      std::vector<Flow> flows = NattedFlows(200, "10.1.0.2", 3000 + i % 50 * 200);
      Change(pair_.a.netns(), Verb::kCreate, flows);
      for (Flow& flow : flows) flow.mark = static_cast<uint32_t>(i);
      Change(pair_.a.netns(), Verb::kUpdate, flows);
      Change(pair_.a.netns(), Verb::kDelete, flows);
    }
  });
  uint64_t in_motion = 0;
  for (int i = 0; i < 10; ++i) {
    const Outcome outcome = Verify(i % 2 == 0 ? pair_.a : pair_.b);
    EXPECT_TRUE(outcome.Equal()) << outcome.status.error_message() << outcome.result.DebugString();
    in_motion += outcome.result.in_motion();
  }
  // A difference is found in all the traffic.
  ASSERT_EQ(Change(pair_.b.netns(), Verb::kDelete, {Natted(7)}), 0U);
  const Outcome outcome = Verify(pair_.a);
  EXPECT_EQ(outcome.result.differing(), 1u) << outcome.result.DebugString();
  enough = true;
  traffic.join();
  EXPECT_GT(in_motion, 0u) << "nothing changed while the tables were compared";
}

TEST_F(VerifyTest, ARepairMakesThemEqualAgain) {
  Make(NattedFlows(3000));
  pair_.ExpectEqual(3000);
  for (const Node* asked : {&pair_.a, &pair_.b}) {
    Flow marked = Natted(1);
    marked.mark = 9;
    ASSERT_EQ(Change(pair_.b.netns(), Verb::kUpdate, {marked}), 0U);
    ASSERT_EQ(Change(pair_.b.netns(), Verb::kDelete, NattedFlows(100, "10.1.0.2", 50)), 0U);
    ASSERT_EQ(Verify(*asked).result.differing(), 101u);
    const uint64_t before = Snapshots(pair_.b);
    const grpc::Status repaired = Repair(*asked);
    ASSERT_TRUE(repaired.ok()) << repaired.error_message();
    EXPECT_EQ(Snapshots(pair_.b), before + 1) << "it was not waited for";
    EXPECT_TRUE(Verify(*asked).Equal());
    pair_.ExpectEqual(3000);
  }
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return pair_.a.State().repairs == 2; }));
}

TEST_F(VerifyTest, ADemotionEndsARepair) {
  Make(NattedFlows(10));
  pair_.b.StopServing();
  grpc::Status repaired;
  std::thread repair([&] { repaired = Repair(pair_.a); });
  // Refused because the stream is broken, or ended because the node is no longer master.
  pair_.a.Assume(Role::kBackup, 2);
  repair.join();
  EXPECT_EQ(repaired.error_code(), grpc::StatusCode::FAILED_PRECONDITION)
      << repaired.error_message();
}

TEST_F(VerifyTest, WithoutReplicationThereIsNothingToCompare) {
  pair_.a.Reconfigure(false);
  const Outcome outcome = Verify(pair_.a);
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(outcome.status.error_message(), HasSubstr("replication is switched off"));
}

TEST_F(VerifyTest, MoreThanAThousandAreNotShown) {
  const Outcome outcome = Verify(pair_.a, 1001);
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(outcome.status.error_message(), "limit: 1001: use 1 to 1000");
}

TEST_F(VerifyTest, WhoMayNotIsRefused) {
  pair_.a.guard().Refuse(absl::PermissionDeniedError("nobody may"));
  EXPECT_EQ(Verify(pair_.a).status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Repair(pair_.a).error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

// A peer that is not ours asks for more than there can be.
TEST_F(VerifyTest, ThePeersQuestionsAreBounded) {
  const auto stub = v1::ComparisonService::NewStub(
      grpc::CreateChannel(pair_.a.address(), grpc::InsecureChannelCredentials()));
  {
    grpc::ClientContext context;
    v1::LookRequest request;
    for (int i = 0; i < 1025; ++i) request.add_keys()->set_protocol(IPPROTO_UDP);
    v1::LookResponse response;
    EXPECT_EQ(stub->Look(&context, request, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  {
    grpc::ClientContext context;
    v1::ReadBucketsRequest request;
    request.add_buckets(4096);
    const auto reader = stub->Read(&context, request);
    v1::BucketFlows part;
    EXPECT_FALSE(reader->Read(&part));
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  }
  {
    grpc::ClientContext context;
    v1::SumTableRequest request;
    request.mutable_scope()->add_master_addresses("short");
    v1::TableSums response;
    EXPECT_EQ(stub->Sum(&context, request, &response).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
}

// The agent that stops must not wait for it.
TEST_F(VerifyTest, EndsWhenTheAgentStops) {
  Make(NattedFlows(5000));
  pair_.ExpectEqual(5000);
  std::thread verify([&] { Verify(pair_.a); });
  pair_.a.Stop();
  verify.join();
}

}  // namespace
}  // namespace zcluster::conntrack
