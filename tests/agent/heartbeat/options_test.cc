// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace zcluster::heartbeat {
namespace {

Options Good() {
  return {.node_name = "node-a",
          .interface = "eth0.100",
          .address = "192.0.2.1",
          .peer_address = "192.0.2.2",
          .advert_interval = *core::AdvertInterval::From(absl::Seconds(1)),
          .vips = {{"192.0.2.100/24", "eth0"}, {"2001:db8::100/64", "eth0"}}};
}

TEST(Options, OfTheUsualKindAreValid) { EXPECT_TRUE(Validate(Good()).ok()) << Validate(Good()); }

struct Case {
  const char* name;
  const char* option;
  std::function<void(Options&)> spoil;
};

class InvalidOptions : public testing::TestWithParam<Case> {};

TEST_P(InvalidOptions, AreRefusedByName) {
  Options options = Good();
  GetParam().spoil(options);
  const absl::Status status = Validate(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), testing::StartsWith(GetParam().option));
}

INSTANTIATE_TEST_SUITE_P(
    Options, InvalidOptions,
    testing::Values(
        Case{"Interface", "interface", [](Options& o) { o.interface = "eth0 }\nglobal_defs {"; }},
        Case{"LongInterface", "interface", [](Options& o) { o.interface = "sixteen-letters-"; }},
        Case{"Address", "address", [](Options& o) { o.address = "2001:db8::1"; }},
        Case{"PeerAddress", "peer_address", [](Options& o) { o.peer_address = "192.0.2.2/24"; }},
        Case{"RouterId", "router_id", [](Options& o) { o.router_id = 256; }},
        Case{"Vip", "vips", [](Options& o) { o.vips[0].address = "192.0.2.300/24"; }},
        Case{"VipPrefix", "vips", [](Options& o) { o.vips[0].address = "192.0.2.3/33"; }},
        Case{"VipInterface", "vips", [](Options& o) { o.vips[1].interface = ""; }},
        Case{"StateDir", "state_dir", [](Options& o) { o.state_dir = "relative"; }},
        Case{"RunDir", "run_dir", [](Options& o) { o.run_dir = "/with space"; }}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Options, LoseWhatIsNotInTheNewOnes) {
  Options before = Good();
  before.vips = {
      {"192.0.2.100/24", "eth0"}, {"192.0.2.101/24", "eth0"}, {"2001:DB8::1/64", "eth0"}};
  Options after = before;
  EXPECT_TRUE(AddressesLost(before, after).empty());
  after.vips = {
      {"192.0.2.100/24", "eth1"}, {"192.0.2.101/25", "eth0"}, {"2001:db8:0::1/64", "eth0"}};
  std::vector<Vip> lost = AddressesLost(before, after);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].address, "192.0.2.100/24");
  EXPECT_EQ(lost[0].interface, "eth0");
  after.router_id = 9;
  lost = AddressesLost(before, after);
  ASSERT_EQ(lost.size(), 2U);
  EXPECT_EQ(lost[1].address, AnchorOf(before).address);
}

}  // namespace
}  // namespace zcluster::heartbeat
