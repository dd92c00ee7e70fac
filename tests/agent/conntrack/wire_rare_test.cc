// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/wire_rare.h"

#include "agent/conntrack/batch.h"
#include "tests/agent/conntrack/netns.h"
#include "zcluster/v1/conntrack.pb.h"

namespace zcluster::conntrack {
namespace {

std::vector<Flow> Samples() {
  const Flow tcp = Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 21));
  const Flow v6 = Plain(Key(IPPROTO_TCP, "2001:db8::7", 1024, "2001:db8:1::10", 443));
  Flow from_zone = With(tcp, [](Rare& rare) { rare.zone_direction = ZoneDirection::kOriginal; });
  from_zone.key.zone = 5;
  const Flow to_zone = With(tcp, [](Rare& rare) {
    rare.zone_direction = ZoneDirection::kReply;
    rare.reply_zone = 0xffff;
  });
  return {from_zone,
          to_zone,
          WithHelper(tcp, "fifteen-letters"),
          WithLabels(tcp, 0xff),
          WithShift(v6, 0xffffffff),
          WithMaster(v6, v6.key),
          WithShift(WithMaster(WithLabels(WithHelper(tcp, "ftp"), 1), tcp.key), 1),
          Sctp(Key(IPPROTO_SCTP, "198.51.100.7", 1024, "192.0.2.10", 3868), 9),
          Plain(Key(IPPROTO_GRE, "198.51.100.7", 1, "192.0.2.10", 2)),
          Plain(Key(IPPROTO_ESP, "2001:db8::7", 0, "2001:db8:1::10", 0))};
}

TEST(WireRare, WhatIsWrittenIsRead) {
  for (const Flow& sample : Samples()) {
    v1::FlowBatch message;
    Write(sample, *message.add_flows());
    std::vector<Flow> flows;
    ASSERT_TRUE(Read(message, flows).ok()) << Describe(sample) << Read(message, flows);
    EXPECT_EQ(Describe(flows[0]), Describe(sample));
    EXPECT_TRUE(Equal(flows[0].rare, sample.rare)) << Describe(sample);
  }
}

TEST(WireRare, AFlowThatHasNothingOfItPaysNothing) {
  v1::Flow message;
  Write(Natted(0), message);
  EXPECT_FALSE(message.has_rare());
  EXPECT_LE(message.ByteSizeLong(), 58U);
}

struct Bad {
  std::string name;
  std::function<void(v1::Flow&)> spoil;
};

class BadRare : public testing::TestWithParam<Bad> {};

TEST_P(BadRare, IsRefusedByName) {
  v1::FlowBatch message;
  Write(Natted(0), *message.add_flows());
  GetParam().spoil(*message.mutable_flows(0));
  std::vector<Flow> flows;
  const absl::Status status = Read(message, flows);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("flows[0]"), absl::string_view::npos) << status;
  EXPECT_TRUE(flows.empty());
}

INSTANTIATE_TEST_SUITE_P(
    WireRare, BadRare,
    testing::Values(
        Bad{"Dccp", [](v1::Flow& f) { f.clear_tcp(), f.set_protocol(IPPROTO_DCCP); }},
        Bad{"NoIpProtocol", [](v1::Flow& f) { f.clear_tcp(), f.set_protocol(256); }},
        Bad{"PortsWhereThereAreNone",
            [](v1::Flow& f) { f.clear_tcp(), f.set_protocol(IPPROTO_ESP); }},
        Bad{"ZoneDirection",
            [](v1::Flow& f) {
              f.mutable_rare()->set_zone_direction(static_cast<v1::RareFacts::ZoneDirection>(3));
            }},
        Bad{"ZoneOfAnswersBesideOne",
            [](v1::Flow& f) {
              f.set_zone(1);
              f.mutable_rare()->set_zone_direction(v1::RareFacts::ZONE_DIRECTION_REPLY);
            }},
        Bad{"ReplyZone",
            [](v1::Flow& f) {
              f.mutable_rare()->set_zone_direction(v1::RareFacts::ZONE_DIRECTION_REPLY);
              f.mutable_rare()->set_reply_zone(65536);
            }},
        Bad{"ReplyZoneWithoutDirection", [](v1::Flow& f) { f.mutable_rare()->set_reply_zone(1); }},
        Bad{"SctpOnTcp", [](v1::Flow& f) { f.mutable_rare()->mutable_sctp(); }},
        Bad{"SctpState",
            [](v1::Flow& f) {
              f.clear_tcp(), f.set_protocol(IPPROTO_SCTP);
              f.mutable_rare()->mutable_sctp()->set_state(10);
            }},
        Bad{"ShortLabels", [](v1::Flow& f) { f.mutable_rare()->set_labels("short"); }},
        Bad{"LongLabels", [](v1::Flow& f) { f.mutable_rare()->set_labels(std::string(20, 1)); }},
        Bad{"LongHelper", [](v1::Flow& f) { f.mutable_rare()->set_helper("sixteen-letters."); }},
        Bad{"HelperThatIsNoName", [](v1::Flow& f) { f.mutable_rare()->set_helper("a b"); }},
        Bad{"OneShift", [](v1::Flow& f) { f.mutable_rare()->mutable_original_shift(); }},
        Bad{"ShiftOnUdp",
            [](v1::Flow& f) {
              f.clear_tcp(), f.set_protocol(IPPROTO_UDP);
              f.mutable_rare()->mutable_original_shift(), f.mutable_rare()->mutable_reply_shift();
            }},
        Bad{"MasterWithoutAddresses", [](v1::Flow& f) { f.mutable_rare()->mutable_master(); }},
        Bad{"MasterOfAnotherFamily",
            [](v1::Flow& f) {
              v1::FlowTuple& master = *f.mutable_rare()->mutable_master();
              master.set_protocol(IPPROTO_TCP), master.set_source_v6(std::string(16, 1));
              master.set_destination_v6(std::string(16, 2));
            }}),
    [](const auto& at) { return at.param.name; });

}  // namespace
}  // namespace zcluster::conntrack
