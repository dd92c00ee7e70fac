// SPDX-License-Identifier: Apache-2.0
#include "controller/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ControllerConfig, NeedsNothing) {
  const auto settings = ParseSettings("controller.yaml", "");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->fleet, "fleet");
  EXPECT_FALSE(settings->name.empty());
  EXPECT_EQ(settings->agents_listen, "[::]:7800");
  EXPECT_EQ(settings->enrolment_listen, "[::]:7801");
  EXPECT_EQ(settings->api_listen, "[::]:7802");
  EXPECT_EQ(settings->metrics_listen, "127.0.0.1:7803");
  EXPECT_EQ(settings->report_interval, absl::Seconds(15));
  EXPECT_EQ(settings->certificate_lifetime, absl::Hours(90 * 24));
  EXPECT_EQ(settings->max_events, 1'000'000U);
  EXPECT_EQ(settings->max_agents, 20'000U);
  EXPECT_EQ(settings->agent_messages_per_second, 100U);
  EXPECT_TRUE(LoadSettings("/nonexistent/controller.yaml").ok());
}

TEST(ControllerConfig, TakesWhatIsGiven) {
  const auto settings = ParseSettings("controller.yaml", R"(
name: north
controller: ctl1
agents: {listen: "10.0.0.1:7900"}
enrolment: {listen: "10.0.0.1:7901"}
api: {listen: "[2001:db8::1]:7902"}
metrics: {listen: off}
addresses: [10.0.0.1, "2001:db8::1", ctl1.example.net]
report_interval: 1m
certificates: {lifetime: 24h}
history: {events: 5000}
limits: {agents: 10, agent_messages_per_second: 7}
)");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->fleet, "north");
  EXPECT_EQ(settings->name, "ctl1");
  EXPECT_EQ(settings->metrics_listen, "off");
  EXPECT_THAT(settings->api_addresses,
              ElementsAre("10.0.0.1:7902", "[2001:db8::1]:7902", "ctl1.example.net:7902"));
  EXPECT_EQ(settings->report_interval, absl::Minutes(1));
  EXPECT_EQ(settings->max_events, 5000U);
  EXPECT_EQ(settings->agent_messages_per_second, 7U);
}

struct Bad {
  const char* text;
  const char* error;
};
class Refuses : public testing::TestWithParam<Bad> {};

TEST_P(Refuses, WithFileLineAndField) {
  const auto settings = ParseSettings("controller.yaml", GetParam().text);
  ASSERT_FALSE(settings.ok());
  EXPECT_EQ(settings.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(settings.status().message()), HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    ControllerConfig, Refuses,
    testing::Values(
        Bad{"nmae: x\n", "controller.yaml:1: nmae"},
        Bad{"name: Big\n", "controller.yaml:1: name: is 'Big'; expected lower-case letters"},
        Bad{"controller: \"a b\"\n", "controller.yaml:1: controller: is 'a b'"},
        Bad{"\nagents: {listen: 7800}\n", "controller.yaml:2: agents.listen: is '7800'"},
        Bad{"metrics: {listen: \"on\"}\n", "controller.yaml:1: metrics.listen: is 'on'"},
        Bad{"addresses: [\"a/b\"]\n", "controller.yaml:1: addresses[0]: is 'a/b'"},
        Bad{"addresses: [10.0.0.0/8]\n", "controller.yaml:1: addresses[0]"},
        Bad{"report_interval: 500ms\n", "report_interval: is 500ms; expected 1s to 10m"},
        Bad{"certificates: {lifetime: 1s}\n", "certificates.lifetime: is 1s; expected 10s"},
        Bad{"history: {events: 10}\n", "history.events: is 10; expected 1000 to 100000000"},
        Bad{"limits: {agents: 200000}\n", "limits.agents: is 200000; expected 1 to 100000"},
        Bad{"limits: {agent_messages_per_second: 20000}\n", "expected 1 to 10000"}));

}  // namespace
}  // namespace zcluster::controller
