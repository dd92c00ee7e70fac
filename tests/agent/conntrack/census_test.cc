// SPDX-License-Identifier: Apache-2.0
// FlowService/List and Stats too, on a real kernel's table.
#include "agent/conntrack/census.h"

#include <gmock/gmock.h>

#include "tests/agent/conntrack/node.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::conntrack {
namespace {

using core::Role;

std::unique_ptr<v1::FlowService::Stub> Dial(const Node& node) {
  return v1::FlowService::NewStub(
      grpc::CreateChannel(node.address(), grpc::InsecureChannelCredentials()));
}

struct Listed {
  std::vector<v1::ListedFlow> flows;
  bool more = false;
  grpc::Status status;
};

Listed List(const Node& node, const v1::ListFlowsRequest& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  const auto stub = Dial(node);
  const auto reader = stub->List(&context, request);
  Listed listed;
  v1::ListedFlows part;
  while (reader->Read(&part)) {
    EXPECT_LE(part.flows_size(), 512);
    listed.flows.insert(listed.flows.end(), part.flows().begin(), part.flows().end());
    listed.more = part.more();
  }
  listed.status = reader->Finish();
  return listed;
}

v1::FlowStats Stats(const Node& node) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  v1::FlowStats stats;
  const grpc::Status status = Dial(node)->Stats(&context, v1::FlowStatsRequest(), &stats);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return stats;
}

uint64_t Sum(const v1::FlowStats& stats, v1::FlowClass what) {
  uint64_t flows = 0;
  for (const v1::FlowGroup& group : stats.groups())
    flows += group.flow_class() == what ? group.flows() : 0;
  return flows;
}

class CensusTest : public testing::Test {
 protected:
  CensusTest() {
    pair_.a.netns().Shell("ip link set lo up && ip addr add 10.7.0.1/24 dev lo");
    pair_.Appoint(pair_.a, 1);
    std::vector<Flow> flows = NattedFlows(1500);
    for (size_t i = 0; i < 100; ++i) flows[i].tcp.state = TCP_CONNTRACK_FIN_WAIT;
    flows.push_back(Plain(Key(IPPROTO_UDP, "198.51.100.7", 1, "203.0.113.1", 53)));
    flows.push_back(Plain(Key(IPPROTO_TCP, "198.51.100.7", 1, "10.7.0.1", 22)));
    flows.push_back(Plain(Key(IPPROTO_TCP, "10.7.0.1", 40002, "10.7.0.2", 7700)));
    EXPECT_EQ(Change(pair_.a.netns(), Verb::kCreate, flows), 0U);
  }

  Pair pair_{{.node_name = "node1", .own_addresses = {"10.7.0.1", "10.7.0.2"}}};
};

TEST_F(CensusTest, CountsByProtocolStateAndClass) {
  const v1::FlowStats stats = Stats(pair_.a);
  EXPECT_EQ(stats.node(), "node1");
  EXPECT_EQ(Sum(stats, v1::FLOW_CLASS_TRANSLATED), 1500u);
  EXPECT_EQ(Sum(stats, v1::FLOW_CLASS_FORWARDED), 1u);
  EXPECT_EQ(Sum(stats, v1::FLOW_CLASS_LOCAL), 1u);
  EXPECT_EQ(Sum(stats, v1::FLOW_CLASS_OWN), 1u);
  const auto waiting = std::find_if(
      stats.groups().begin(), stats.groups().end(),
      [](const v1::FlowGroup& group) { return group.tcp_state() == TCP_CONNTRACK_FIN_WAIT; });
  ASSERT_NE(waiting, stats.groups().end());
  EXPECT_EQ(waiting->flows(), 100u);
  EXPECT_TRUE(waiting->replied());
  EXPECT_EQ(stats.entries(), 1503u);
  EXPECT_GT(stats.maximum(), stats.entries());
}

TEST_F(CensusTest, TellsWhatReplicationDoes) {
  v1::ReplicationStats master, backup;
  ASSERT_TRUE(WaitUntil(Pair::kPatience,
                        [&] {
                          master = Stats(pair_.a).replication();
                          backup = Stats(pair_.b).replication();
                          return backup.flows() == 1502 && master.has_equal_for();
                        }))
      << master.DebugString() << backup.DebugString();
  EXPECT_TRUE(master.enabled() && master.master() && master.synchronised());
  EXPECT_FALSE(backup.master());
  EXPECT_EQ(master.flows(), 1502u);
  EXPECT_GE(master.changes(), 1502u);
  EXPECT_GT(master.batches(), 0u);
  EXPECT_GT(master.bytes(), 1502u * 30);
  EXPECT_GT(master.memory(), 1502u * 60);
  EXPECT_GT(backup.memory(), 1502u * 60);
  EXPECT_EQ(backup.gave_way(), 0u);
  EXPECT_TRUE(master.has_lag());
}

TEST_F(CensusTest, TellsThatReplicationIsOff) {
  pair_.a.Reconfigure(false);
  const v1::FlowStats stats = Stats(pair_.a);
  EXPECT_FALSE(stats.replication().enabled());
  EXPECT_EQ(Sum(stats, v1::FLOW_CLASS_TRANSLATED), 1500u);
}

TEST_F(CensusTest, ListsAllOrWhatIsSelected) {
  EXPECT_EQ(List(pair_.a, {}).flows.size(), 1000u) << "no default";
  v1::ListFlowsRequest request;
  request.set_limit(1000000);
  const Listed all = List(pair_.a, request);
  EXPECT_TRUE(all.status.ok()) << all.status.error_message();
  EXPECT_EQ(all.flows.size(), 1503u);
  EXPECT_FALSE(all.more);
  request.mutable_filter()->set_flow_class(v1::FLOW_CLASS_LOCAL);
  const Listed local = List(pair_.a, request);
  ASSERT_EQ(local.flows.size(), 1u);
  EXPECT_EQ(local.flows[0].flow().destination_port(), 22u);
  EXPECT_GT(local.flows[0].timeout(), 3000u);
  EXPECT_LE(local.flows[0].timeout(), 3600u);
}

TEST_F(CensusTest, ListsNoMoreThanIsWanted) {
  v1::ListFlowsRequest request;
  request.set_limit(700);
  const Listed listed = List(pair_.a, request);
  EXPECT_EQ(listed.flows.size(), 700u);
  EXPECT_TRUE(listed.more);
  request.set_limit(1000001);
  EXPECT_EQ(List(pair_.a, request).status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(CensusTest, RefusesAFilterThatIsNone) {
  v1::ListFlowsRequest request;
  request.mutable_filter()->set_protocol(300);
  EXPECT_EQ(List(pair_.a, request).status.error_message(), "filter.protocol: 300: use 0 to 255");
}

TEST_F(CensusTest, ATableThatNobodyTakesIsLetGo) {
  grpc::ClientContext context;
  v1::ListFlowsRequest request;
  request.set_limit(1000000);
  const auto stub = Dial(pair_.a);
  const auto reader = stub->List(&context, request);
  v1::ListedFlows part;
  EXPECT_TRUE(reader->Read(&part));
  context.TryCancel();
  reader->Finish();
  // Its thread ends, and others find room again.
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return List(pair_.a, {}).status.ok(); }));
}

}  // namespace
}  // namespace zcluster::conntrack
