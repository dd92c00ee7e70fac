// SPDX-License-Identifier: Apache-2.0
#include "controller/core/heard.h"

#include <gmock/gmock.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "tests/controller/core/said.h"

namespace zcluster::controller {
namespace {

using testing::HasSubstr;

const AgentId kLb1{"web-1", "lb1"};

v1::AgentReport Good() { return Says("lb1", v1::ROLE_MASTER, "lb2", v1::ROLE_BACKUP); }

TEST(Heard, PassesAGoodReportUnchanged) {
  v1::AgentReport report = Good();
  EXPECT_TRUE(CheckReport(kLb1, report).ok());
  EXPECT_EQ(report.SerializeAsString(), Good().SerializeAsString());
}

TEST(Heard, RefusesReportsBeyondTheirBounds) {
  using Spoil = std::function<void(v1::GetStatusResponse&)>;
  const std::pair<const char*, Spoil> spoils[] = {
      {"nodes", [](auto& s) { s.clear_nodes(); }},
      {"nodes", [](auto& s) { s.add_nodes(); }},
      {"nodes[0].hostname: is lb9", [](auto& s) { s.mutable_nodes(0)->set_hostname("lb9"); }},
      {"nodes[1].hostname", [](auto& s) { s.mutable_nodes(1)->set_hostname("lb1"); }},
      {"nodes[1].hostname", [](auto& s) { s.mutable_nodes(1)->set_hostname("a b"); }},
      {"message", [](auto& s) { s.mutable_nodes(0)->set_message(std::string(1025, 'x')); }},
      {"ip", [](auto& s) { s.mutable_nodes(0)->set_ip(std::string(65, '1')); }},
      {"vips",
       [](auto& s) {
         for (int i = 0; i <= kMaxVips; ++i) s.add_vips();
       }},
      {"roots",
       [](auto& s) {
         for (int i = 0; i <= kMaxRoots; ++i) s.add_roots();
       }},
      {"not_ready",
       [](auto& s) {
         for (int i = 0; i <= kMaxReasons; ++i) s.add_not_ready("x");
       }},
      {"readiness",
       [](auto& s) {
         for (int i = 0; i <= kMaxPreconditions; ++i) s.add_readiness();
       }},
      {"readiness.evidence",
       [](auto& s) { s.add_readiness()->set_evidence(std::string(1025, 'x')); }},
      {"term", [](auto& s) { s.set_term(~uint64_t{0}); }},
      {"age", [](auto& s) { s.mutable_nodes(1)->mutable_age()->set_seconds(INT64_MAX); }},
      {"at most 65536",
       [](auto& s) {
         for (int i = 0; i < 64; ++i) s.add_roots()->set_path(std::string(2000, 'p'));
       }},
  };
  for (const auto& [expected, spoil] : spoils) {
    v1::AgentReport report = Good();
    spoil(*report.mutable_status());
    const absl::Status status = CheckReport(kLb1, report);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << expected;
    EXPECT_THAT(std::string(status.message()), HasSubstr(expected));
  }
}

TEST(Heard, MakesTextsPrintableAndUnknownWordsKnown) {
  v1::AgentReport report = Good();
  v1::Node& node = *report.mutable_status()->mutable_nodes(0);
  node.set_message("clear\x1b[2J");
  node.set_role(static_cast<v1::Role>(77));
  node.set_status(static_cast<v1::Status>(88));
  ASSERT_TRUE(CheckReport(kLb1, report).ok());
  EXPECT_EQ(node.message(), "clear\\x1B[2J");
  EXPECT_EQ(node.role(), v1::ROLE_UNSPECIFIED);
  EXPECT_EQ(node.status(), v1::STATUS_GREY);
}

TEST(Heard, TakesANodeThatIsInNoPair) {
  v1::AgentReport report = Says("lb1", v1::ROLE_UNCONFIGURED, "", v1::ROLE_UNSPECIFIED);
  EXPECT_TRUE(CheckReport(kLb1, report).ok());
  EXPECT_EQ(report.status().nodes_size(), 1);
}

v1::EventBatch Batch(uint64_t first, int count) {
  v1::EventBatch batch;
  for (int i = 0; i < count; ++i) {
    batch.add_events()->set_number(first + static_cast<uint64_t>(i));
    batch.mutable_events(i)->set_name("promoted");
  }
  return batch;
}

TEST(Heard, TakesEventsThatFollowEachOther) {
  v1::EventBatch batch = Batch(5, kMaxEvents);
  EXPECT_TRUE(CheckEvents(batch).ok());
  const std::pair<const char*, v1::EventBatch> bad[] = {
      {"none", Batch(1, 0)}, {"at most 256", Batch(1, kMaxEvents + 1)}, {"is 0", Batch(0, 1)}};
  for (auto [expected, events] : bad)
    EXPECT_THAT(std::string(CheckEvents(events).message()), HasSubstr(expected));
  batch = Batch(5, 3);
  batch.mutable_events(2)->set_number(9);
  EXPECT_THAT(std::string(CheckEvents(batch).message()), HasSubstr("is 9; expected 7"));
  batch = Batch(~uint64_t{0}, 2);
  EXPECT_FALSE(CheckEvents(batch).ok());
}

TEST(Heard, RefusesEventsBeyondTheirBounds) {
  v1::EventBatch batch = Batch(1, 1);
  batch.mutable_events(0)->clear_name();
  EXPECT_FALSE(CheckEvents(batch).ok());
  batch = Batch(1, 1);
  for (int i = 0; i <= kMaxFields; ++i) batch.mutable_events(0)->add_fields();
  EXPECT_FALSE(CheckEvents(batch).ok());
  batch = Batch(1, 1);
  batch.mutable_events(0)->add_fields()->set_value(std::string(1025, 'x'));
  EXPECT_FALSE(CheckEvents(batch).ok());
  batch = Batch(1, 1);
  batch.mutable_events(0)->mutable_at()->set_nanos(-2'000'000'000);
  EXPECT_FALSE(CheckEvents(batch).ok());
}

TEST(Heard, TakesFlowsAndSaysWhoSawThem) {
  v1::FlowsSeen flows;
  flows.set_node("another");
  flows.add_flows()->mutable_flow()->set_source_v6(std::string(16, 'a'));
  ASSERT_TRUE(CheckFlows(kLb1, flows).ok());
  EXPECT_EQ(flows.node(), "lb1");
  flows.add_flows()->mutable_flow()->set_reply_source_v6("short");
  EXPECT_FALSE(CheckFlows(kLb1, flows).ok());
  flows.Clear();
  for (int i = 0; i <= kMaxFlows; ++i) flows.add_flows();
  EXPECT_FALSE(CheckFlows(kLb1, flows).ok());
}

TEST(Heard, ChecksAHello) {
  v1::AgentHello hello = Hello("web-1", "lb1");
  hello.set_allow(static_cast<v1::Right>(9));
  ASSERT_TRUE(CheckHello(hello).ok());
  EXPECT_EQ(hello.allow(), v1::RIGHT_UNSPECIFIED);
  hello.set_journal(std::string(65, 'j'));
  EXPECT_FALSE(CheckHello(hello).ok());
}

}  // namespace
}  // namespace zcluster::controller
