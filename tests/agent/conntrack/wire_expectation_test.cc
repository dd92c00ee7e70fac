// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/wire_expectation.h"

#include "tests/agent/conntrack/expecting.h"
#include "zcluster/v1/conntrack.pb.h"

namespace zcluster::conntrack {
namespace {

TEST(WireExpectation, WhatIsWrittenIsRead) {
  for (const bool v6 : {false, true}) {
    Expectation plain = ActiveFtp(Control(v6), 2);
    plain.what.nat_direction = Expectation::kNoNat;
    plain.what.nat_address = {};
    plain.what.nat_port = 0;
    plain.what.function = {};
    plain.what.group = 3;
    plain.what.flags = 1;
    v1::FlowBatch message;
    Write(ActiveFtp(Control(v6), 1), *message.add_expectations());
    Write(plain, *message.add_expectations());
    Expectation gone = plain;
    gone.gone = true;
    Write(gone, *message.add_expectations());
    std::vector<Expectation> read;
    ASSERT_TRUE(Read(message, read).ok()) << Read(message, read);
    ASSERT_EQ(read.size(), 3U);
    EXPECT_EQ(read[0].what, ActiveFtp(Control(v6), 1).what);
    EXPECT_EQ(read[0].timeout, 300U);
    EXPECT_EQ(read[1].what, plain.what);
    EXPECT_TRUE(read[2].gone);
    EXPECT_EQ(read[2].what.key, plain.what.key);
  }
}

struct Bad {
  std::string name;
  std::function<void(v1::Expectation&)> spoil;
};

class BadExpectation : public testing::TestWithParam<Bad> {};

TEST_P(BadExpectation, IsRefusedByName) {
  v1::FlowBatch message;
  Write(ActiveFtp(Control()), *message.add_expectations());
  GetParam().spoil(*message.mutable_expectations(0));
  std::vector<Expectation> read;
  const absl::Status status = Read(message, read);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("expectations[0]"), absl::string_view::npos) << status;
  EXPECT_TRUE(read.empty());
}

INSTANTIATE_TEST_SUITE_P(
    WireExpectation, BadExpectation,
    testing::Values(
        Bad{"NoFlow", [](v1::Expectation& e) { e.clear_flow(); }},
        Bad{"NoMaster", [](v1::Expectation& e) { e.clear_master(); }},
        Bad{"MasterOfAnotherFamily",
            [](v1::Expectation& e) {
              e.mutable_master()->clear_source_v4(), e.mutable_master()->clear_destination_v4();
              e.mutable_master()->set_source_v6(std::string(16, 1));
              e.mutable_master()->set_destination_v6(std::string(16, 2));
            }},
        Bad{"MaskOfAnotherFamily",
            [](v1::Expectation& e) { e.set_source_mask_v6(std::string(16, 1)); }},
        Bad{"PortMask", [](v1::Expectation& e) { e.set_source_port_mask(65536); }},
        Bad{"NatDirection", [](v1::Expectation& e) { e.mutable_nat()->set_direction(2); }},
        Bad{"NatOfAnotherFamily",
            [](v1::Expectation& e) { e.mutable_nat()->set_address_v6(std::string(16, 1)); }},
        Bad{"NatPort", [](v1::Expectation& e) { e.mutable_nat()->set_port(65536); }},
        Bad{"LongHelper", [](v1::Expectation& e) { e.set_helper(std::string(16, 'x')); }},
        Bad{"LongFunction", [](v1::Expectation& e) { e.set_function(std::string(32, 'x')); }},
        Bad{"FunctionThatIsNoName", [](v1::Expectation& e) { e.set_function("a b"); }},
        Bad{"Group", [](v1::Expectation& e) { e.set_group(256); }},
        Bad{"Flags", [](v1::Expectation& e) { e.set_flags(4); }},
        Bad{"Timeout", [](v1::Expectation& e) { e.set_timeout(31 * 86400); }}),
    [](const auto& at) { return at.param.name; });

TEST(WireExpectation, TooManyAreRefused) {
  v1::FlowBatch message;
  for (int i = 0; i <= kMaxExpectationsInBatch; ++i)
    Write(ActiveFtp(Control()), *message.add_expectations());
  std::vector<Expectation> read;
  EXPECT_EQ(Read(message, read).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace zcluster::conntrack
