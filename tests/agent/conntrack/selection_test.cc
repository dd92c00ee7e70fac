// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/selection.h"

#include <gmock/gmock.h>

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

using Filter = std::function<void(v1::FlowFilter&)>;

std::string Bytes(const std::string& address) {
  const Address all = Ip(address);
  return {all.begin(), all.begin() + (address.find(':') == std::string::npos ? 4 : 16)};
}

struct Case {
  const char* name;
  Filter filter;
  bool expected;
};

std::string CaseName(const testing::TestParamInfo<Case>& tested) { return tested.param.name; }

class Selects : public testing::TestWithParam<Case> {};

// 198.51.100.7:1025 to the VIP 192.0.2.10:443, served by 10.1.0.2:8443, from 10.1.0.254.
TEST_P(Selects, AFlowThroughTheVip) {
  Flow flow = Natted(1);
  flow.mark = 0x15;
  flow.key.zone = 3;
  v1::FlowFilter filter;
  GetParam().filter(filter);
  const absl::StatusOr<Selection> selection = Selection::Read(filter);
  ASSERT_TRUE(selection.ok()) << selection.status();
  EXPECT_EQ(selection->Has(flow, v1::FLOW_CLASS_TRANSLATED), GetParam().expected);
}

Filter Network(const std::string& address, uint32_t length) {
  return [=](v1::FlowFilter& f) {
    f.set_address(Bytes(address));
    f.set_prefix_length(length);
  };
}
Filter Mark(uint32_t mark, uint32_t mask) {
  return [=](v1::FlowFilter& f) {
    f.set_mark(mark);
    f.set_mark_mask(mask);
  };
}

INSTANTIATE_TEST_SUITE_P(
    Selection, Selects,
    testing::Values(
        Case{"ByNothing", [](v1::FlowFilter&) {}, true},
        Case{"ByProtocol", [](v1::FlowFilter& f) { f.set_protocol(IPPROTO_TCP); }, true},
        Case{"NotByAnotherProtocol", [](v1::FlowFilter& f) { f.set_protocol(IPPROTO_UDP); }, false},
        Case{"ByItsClient", Network("198.51.100.7", 32), true},
        Case{"ByItsVip", Network("192.0.2.10", 32), true},
        Case{"ByItsBackend", Network("10.1.0.2", 32), true},
        Case{"ByItsNetwork", Network("198.51.100.0", 29), true},
        Case{"NotByAnotherNetwork", Network("198.51.100.8", 29), false},
        Case{"ByAnyIPv4", Network("0.0.0.0", 0), true}, Case{"NotByIPv6", Network("::", 0), false},
        Case{"ByThePortOfItsClient", [](v1::FlowFilter& f) { f.set_port(1025); }, true},
        Case{"ByThePortOfItsBackend", [](v1::FlowFilter& f) { f.set_port(8443); }, true},
        Case{"NotByAnotherPort", [](v1::FlowFilter& f) { f.set_port(80); }, false},
        Case{"ByItsState", [](v1::FlowFilter& f) { f.set_tcp_state(3); }, true},
        Case{"NotByAnotherState", [](v1::FlowFilter& f) { f.set_tcp_state(4); }, false},
        Case{"NotAsUnreplied", [](v1::FlowFilter& f) { f.set_unreplied(true); }, false},
        Case{"ByItsMark", [](v1::FlowFilter& f) { f.set_mark(0x15); }, true},
        Case{"ByPartOfItsMark", Mark(0x10, 0xf0), true},
        Case{"NotByNoMark", [](v1::FlowFilter& f) { f.set_mark(0); }, false},
        Case{"ByItsZone", [](v1::FlowFilter& f) { f.set_zone(3); }, true},
        Case{"NotByNoZone", [](v1::FlowFilter& f) { f.set_zone(0); }, false},
        Case{"ByItsNat", [](v1::FlowFilter& f) { f.set_translated(true); }, true},
        Case{"ByItsClass", [](v1::FlowFilter& f) { f.set_flow_class(v1::FLOW_CLASS_TRANSLATED); },
             true},
        Case{"NotByAnotherClass", [](v1::FlowFilter& f) { f.set_flow_class(v1::FLOW_CLASS_LOCAL); },
             false},
        Case{"NotIfOneOfTwoFails",
             [](v1::FlowFilter& f) {
               f.set_port(443);
               f.set_zone(4);
             },
             false}),
    CaseName);

TEST(Selection, KnowsNoPortOfIcmp) {
  v1::FlowFilter filter;
  filter.set_port(77);
  const Flow echo = Plain(Key(IPPROTO_ICMP, "198.51.100.7", 77, "192.0.2.10", 8 << 8));
  EXPECT_FALSE(Selection::Read(filter)->Has(echo, v1::FLOW_CLASS_FORWARDED));
}

TEST(Selection, TellsWhatHasNatFromWhatHasNone) {
  v1::FlowFilter filter;
  filter.set_translated(true);
  const Flow plain = Plain(Key(IPPROTO_TCP, "198.51.100.7", 1, "203.0.113.1", 443));
  EXPECT_FALSE(Selection::Read(filter)->Has(plain, v1::FLOW_CLASS_FORWARDED));
}

TEST(Selection, RefusesWhatMakesNoSense) {
  const auto refusal = [](const Filter& set) {
    v1::FlowFilter filter;
    set(filter);
    return std::string(Selection::Read(filter).status().message());
  };
  EXPECT_EQ(refusal([](auto& f) { f.set_protocol(256); }), "filter.protocol: 256: use 0 to 255");
  EXPECT_EQ(refusal([](auto& f) { f.set_port(65536); }), "filter.port: 65536: use 0 to 65535");
  EXPECT_EQ(refusal([](auto& f) { f.set_tcp_state(10); }), "filter.tcp_state: 10: use 0 to 9");
  EXPECT_EQ(refusal([](auto& f) { f.set_zone(65536); }), "filter.zone: 65536: use 0 to 65535");
  EXPECT_EQ(refusal([](auto& f) { f.set_address("abc"); }),
            "filter.address: expected 4 or 16 bytes");
  EXPECT_EQ(refusal(Network("10.0.0.0", 33)), "filter.prefix_length: 33: use 0 to 32");
}

}  // namespace
}  // namespace zcluster::conntrack
