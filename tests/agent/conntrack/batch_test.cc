// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/batch.h"

#include "tests/agent/conntrack/netns.h"
#include "zcluster/v1/conntrack.pb.h"

namespace zcluster::conntrack {
namespace {

std::vector<Flow> Samples() {
  Flow v6 = Plain(Key(IPPROTO_TCP, "2001:db8::7", 1024, "2001:db8:1::10", 443));
  v6.reply.source = Ip("fd00::2");
  v6.reply.destination = Ip("fd00::254");
  v6.reply.destination_port = 7;
  v6.tcp = {9, 14, 14, 0xff, 0xff};
  Flow marked = Plain(Key(IPPROTO_UDP, "0.0.0.0", 0, "255.255.255.255", 65535));
  marked.mark = 0xffffffff;
  marked.key.zone = 0xffff;
  Flow icmp = Plain(Key(IPPROTO_ICMP, "198.51.100.7", 77, "192.0.2.10", 8 << 8));
  icmp.reply.source_port = 78;
  icmp.reply.destination = Ip("192.0.2.1");
  return {Natted(0), v6, marked, icmp,
          Plain(Key(IPPROTO_ICMPV6, "fd00::1", 1, "fd00::2", 128 << 8))};
}

TEST(Batch, WhatIsWrittenIsRead) {
  v1::FlowBatch message;
  for (const Flow& flow : Samples()) Write(flow, *message.add_flows());
  std::vector<Flow> flows;
  ASSERT_TRUE(Read(message, flows).ok()) << Read(message, flows);
  ASSERT_EQ(flows.size(), Samples().size());
  for (size_t i = 0; i < flows.size(); ++i) {
    EXPECT_EQ(Describe(flows[i]), Describe(Samples()[i]));
    EXPECT_EQ(flows[i].key, Samples()[i].key);
    EXPECT_EQ(flows[i].reply, Samples()[i].reply);
    EXPECT_EQ(flows[i].tcp, Samples()[i].tcp);
    EXPECT_EQ(flows[i].has_tcp, Samples()[i].has_tcp);
  }
}

TEST(Batch, AFlowThatIsGoneIsItsKey) {
  Flow flow = Natted(0);
  flow.gone = true;
  v1::FlowBatch message;
  Write(flow, *message.add_flows());
  EXPECT_LE(message.ByteSizeLong(), 26U);
  std::vector<Flow> flows;
  ASSERT_TRUE(Read(message, flows).ok());
  EXPECT_TRUE(flows[0].gone);
  EXPECT_EQ(flows[0].key, flow.key);
}

TEST(Batch, AFlowWithBothKindsOfNatIsSmall) {
  v1::FlowBatch message;
  Write(Natted(0), *message.add_flows());
  EXPECT_LE(message.ByteSizeLong(), 60U);
}

struct Bad {
  std::string name;
  std::function<void(v1::Flow&)> spoil;
};

class BadFlow : public testing::TestWithParam<Bad> {};

TEST_P(BadFlow, IsRefusedWithTheWholeBatch) {
  v1::FlowBatch message;
  Write(Natted(0), *message.add_flows());
  Write(Natted(1), *message.add_flows());
  GetParam().spoil(*message.mutable_flows(1));
  std::vector<Flow> flows;
  const absl::Status status = Read(message, flows);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("flows[1]"), absl::string_view::npos) << status;
  EXPECT_TRUE(flows.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Batch, BadFlow,
    testing::Values(
        Bad{"NoAddress", [](v1::Flow& f) { f.clear_source_v4(), f.clear_destination_v4(); }},
        Bad{"HalfAnAddress", [](v1::Flow& f) { f.clear_source_v4(); }},
        Bad{"TwoFamilies", [](v1::Flow& f) { f.set_source_v6(std::string(16, 'x')); }},
        Bad{"ShortV6",
            [](v1::Flow& f) {
              f.clear_source_v4(), f.clear_destination_v4(), f.set_source_v6("short");
              f.set_destination_v6(std::string(16, 'x'));
            }},
        Bad{"NoProtocol", [](v1::Flow& f) { f.clear_protocol(); }},
        Bad{"UnknownProtocol", [](v1::Flow& f) { f.set_protocol(33); }},
        Bad{"WrongIcmp", [](v1::Flow& f) { f.clear_tcp(), f.set_protocol(IPPROTO_ICMPV6); }},
        Bad{"Port", [](v1::Flow& f) { f.set_source_port(65536); }},
        Bad{"DestinationPort", [](v1::Flow& f) { f.set_destination_port(1 << 20); }},
        Bad{"Zone", [](v1::Flow& f) { f.set_zone(65536); }},
        Bad{"ReplyOfAnotherFamily",
            [](v1::Flow& f) { f.set_reply_source_v6(std::string(16, 'x')); }},
        Bad{"ReplyPort", [](v1::Flow& f) { f.set_reply_source_port(65536); }},
        Bad{"ReplyDestinationPort", [](v1::Flow& f) { f.set_reply_destination_port(65536); }},
        Bad{"Status", [](v1::Flow& f) { f.set_status(IPS_FIXED_TIMEOUT); }},
        Bad{"TcpState", [](v1::Flow& f) { f.set_tcp(10); }},
        Bad{"TcpScale", [](v1::Flow& f) { f.set_tcp(15 << 4); }},
        Bad{"TcpExcess", [](v1::Flow& f) { f.set_tcp(1U << 28); }},
        Bad{"TcpOnUdp", [](v1::Flow& f) { f.set_protocol(IPPROTO_UDP); }}),
    [](const auto& at) { return at.param.name; });

TEST(Batch, TooManyFlowsAreRefused) {
  v1::FlowBatch message;
  for (int i = 0; i <= kMaxFlowsInBatch; ++i) Write(Natted(0), *message.add_flows());
  std::vector<Flow> flows;
  EXPECT_EQ(Read(message, flows).code(), absl::StatusCode::kInvalidArgument);
}

v1::FlowBatch Numbered(uint64_t sequence, bool begins, bool ends) {
  v1::FlowBatch message;
  message.set_term(1);
  message.set_sequence(sequence);
  message.set_snapshot_begins(begins);
  message.set_snapshot_ends(ends);
  return message;
}

TEST(BatchOrder, TakesSnapshotsAndDeltasInTurn) {
  BatchOrder order;
  EXPECT_TRUE(order.Check(Numbered(1, true, false)).ok());
  EXPECT_TRUE(order.Check(Numbered(2, false, true)).ok());
  EXPECT_TRUE(order.Check(Numbered(3, false, false)).ok());
  EXPECT_TRUE(order.Check(Numbered(4, true, false)).ok());
  EXPECT_TRUE(order.Check(Numbered(5, true, true)).ok());  // started over, and whole in one
  EXPECT_FALSE(order.Check(Numbered(6, false, true)).ok());
}

TEST(BatchOrder, RefusesGapsRepetitionsAndAStreamWithoutASnapshot) {
  EXPECT_FALSE(BatchOrder().Check(Numbered(1, false, false)).ok());
  EXPECT_FALSE(BatchOrder().Check(Numbered(2, true, false)).ok());
  EXPECT_FALSE(BatchOrder().Check(Numbered(0, true, false)).ok());
  BatchOrder order;
  EXPECT_TRUE(order.Check(Numbered(1, true, true)).ok());
  EXPECT_FALSE(order.Check(Numbered(1, false, false)).ok());
  EXPECT_FALSE(order.Check(Numbered(3, false, false)).ok());
}

TEST(BatchOrder, RefusesTermsThatCannotBe) {
  v1::FlowBatch message = Numbered(1, true, true);
  message.set_term(0);
  EXPECT_FALSE(BatchOrder().Check(message).ok());
  message.set_term(~uint64_t{0});
  EXPECT_FALSE(BatchOrder().Check(message).ok());
}

}  // namespace
}  // namespace zcluster::conntrack
