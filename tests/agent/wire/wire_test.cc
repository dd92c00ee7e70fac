// SPDX-License-Identifier: Apache-2.0
#include "agent/wire/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::wire {
namespace {

core::NodeState Sample() {
  core::NodeState state;
  state.term = {9};
  state.own_term = {8};
  state.role = core::Role::kBackup;
  state.status = core::Status::kOrange;
  state.message = "why";
  state.priority = 252;
  state.not_ready = {"a", "b"};
  state.conntrack = {.synchronised = true,
                     .lag = absl::Milliseconds(3),
                     .flows = 1,
                     .changes = 2,
                     .snapshots = 3,
                     .overruns = 4,
                     .refused = 5,
                     .problem = "",
                     .digest = 6,
                     .differs = true,
                     .verifications = 0,
                     .differing = 0,
                     .repairs = 0,
                     .classes = {},
                     .missing = 7,
                     .table_entries = 8,
                     .table_maximum = 9};
  state.roots = {{.path = "/etc/x",
                  .local_digest = "aa",
                  .remote_digest = "bb",
                  .entries = 7,
                  .problem = "p"}};
  state.facts = {{"sysctl net.ipv4.ip_forward", "1"}, {"version", "0.1.0"}};
  state.wall = absl::FromUnixMillis(1'700'000'000'123);
  state.checks = {{"interface front", false, "no carrier"}};
  state.freeze = {4, true, "switch upgrade"};
  return state;
}

TEST(Wire, CarriesANodeStateWhole) {
  const auto back = FromProto(ToProto(Sample()));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(*back, Sample());
}

TEST(Wire, CarriesWhyAndUntilWhenANodeIsOut) {
  core::NodeState state = Sample();
  state.role = core::Role::kMaintenance;
  EXPECT_EQ(*FromProto(ToProto(state)), state) << "without an end, and without a reason";
  state.maintenance_reason = std::string(core::kMaxReason, 'x');
  state.maintenance_until = absl::FromUnixNanos(1'700'000'000'123'456'789);
  EXPECT_EQ(*FromProto(ToProto(state)), state);
  v1::NodeState sent = ToProto(state);
  sent.mutable_maintenance()->set_reason(std::string(core::kMaxReason + 1, 'x'));
  EXPECT_THAT(std::string(FromProto(sent).status().message()),
              testing::StartsWith("maintenance.reason: 257 bytes"));
}

TEST(Wire, RefusesWhatBreaksABound) {
  v1::NodeState state = ToProto(Sample());
  state.set_priority(255);
  EXPECT_EQ(FromProto(state).status().message(), "priority: above 254");
  state = ToProto(Sample());
  state.set_message(std::string(2000, 'x'));
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("message: 2000 bytes"));
  state = ToProto(Sample());
  for (int i = 0; i < 100; ++i) state.add_not_ready("x");
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("not_ready: 102 entries"));
  state = ToProto(Sample());
  state.mutable_conntrack()->mutable_lag()->set_seconds(-1);
  EXPECT_FALSE(FromProto(state).ok());
  state = ToProto(Sample());
  state.set_own_term(~uint64_t{0});
  EXPECT_THAT(std::string(FromProto(state).status().message()), testing::StartsWith("own_term: "));
}

TEST(Wire, RefusesFactsBeyondTheirBounds) {
  v1::NodeState state = ToProto(Sample());
  for (int i = 0; i < 127; ++i) state.add_facts()->set_name("x");
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("facts: 129 entries; at most 128"));
  state = ToProto(Sample());
  state.mutable_facts(0)->set_name(std::string(257, 'x'));
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("facts.name: 257 bytes; at most 256"));
  state = ToProto(Sample());
  state.mutable_facts(1)->set_value(std::string(257, 'x'));
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("facts.value: 257 bytes; at most 256"));
}

TEST(Wire, RefusesChecksAndAFreezeBeyondTheirBounds) {
  v1::NodeState state = ToProto(Sample());
  for (int i = 0; i < 32; ++i) state.add_checks()->set_name("x");
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("checks: 33 entries; at most 32"));
  state = ToProto(Sample());
  state.mutable_checks(0)->set_name(std::string(257, 'x'));
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("checks.name: 257 bytes"));
  state = ToProto(Sample());
  state.mutable_freeze()->set_version(~uint64_t{0});
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("freeze.version: "));
  state = ToProto(Sample());
  state.mutable_freeze()->set_reason(std::string(257, 'x'));
  EXPECT_THAT(std::string(FromProto(state).status().message()),
              testing::StartsWith("freeze.reason: 257 bytes"));
}

TEST(Wire, SendsNothingThatThePeerWouldRefuse) {
  core::NodeState state = Sample();
  std::string umlauts = "x";
  for (int i = 0; i < 2000; ++i) umlauts += "\xc3\xa4";
  state.message = state.conntrack.problem = state.roots[0].problem = umlauts;
  state.not_ready.assign(100, umlauts);
  state.facts.assign(200, {umlauts, umlauts});
  std::string bytes;
  ASSERT_TRUE(ToProto(state).SerializeToString(&bytes));
  v1::NodeState parsed;
  ASSERT_TRUE(parsed.ParseFromString(bytes));  // refuses broken UTF-8
  EXPECT_TRUE(FromProto(parsed).ok()) << FromProto(parsed).status();
}

TEST(Wire, CarriesAnAnswerWithinItsBounds) {
  const core::Testimony testimony{true, false, std::string(2000, 'x')};
  const auto answered = FromProto(ToProto(uint64_t{7}, testimony));
  ASSERT_TRUE(answered.ok()) << answered.status();
  EXPECT_EQ(answered->nonce, 7u);
  EXPECT_TRUE(answered->testimony.master);
  EXPECT_FALSE(answered->testimony.path_alive);
  EXPECT_EQ(answered->testimony.evidence.size(), 1024u);
}

TEST(Wire, MakesAnUnknownRoleUnknownAndAnUnknownStatusGrey) {
  EXPECT_EQ(FromProto(static_cast<v1::Role>(99)), core::Role::kUnknown);
  EXPECT_EQ(FromProto(static_cast<v1::Status>(99)), core::Status::kGrey);
}

TEST(Wire, KeepsDurationsOfEitherSign) {
  for (absl::Duration d : {absl::Milliseconds(1), absl::Seconds(-1.5), absl::Hours(99)})
    EXPECT_EQ(FromProto(ToProto(d)), d);
}

}  // namespace
}  // namespace zcluster::wire
