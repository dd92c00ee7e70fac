// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "controller/agents/agents.h"
#include "tests/controller/agents/test_fleet.h"

// Whoever may not come in, and whoever does not keep to the rules.
namespace zcluster::controller {
namespace {

using ::testing::HasSubstr;

const AgentId kA{"web-1", "a"};
const AgentId kB{"web-1", "b"};

struct Stranger {
  std::string name;
  test::CertificateOptions certificate;
};

class RefusesAtTheHandshake : public ::testing::TestWithParam<Stranger> {};

TEST_P(RefusesAtTheHandshake, WhoIsNoAgentOfTheFleet) {
  TestFleet fleet;
  auto stranger = fleet.DialWith(kA, fleet.Issue(GetParam().certificate));
  stranger->SayHello();
  EXPECT_EQ(stranger->End().error_code(), grpc::StatusCode::UNAVAILABLE)
      << "it is told nothing: " << stranger->End().error_message();
  EXPECT_TRUE(fleet.Waits([](Agents& agents) { return agents.counters().refused > 0; }));
  EXPECT_TRUE(fleet.listener().Told().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Agents, RefusesAtTheHandshake,
    ::testing::Values(
        Stranger{"AnOperator", {.uri = tls::OperatorUri("fleet", "anna")}},
        Stranger{"ANodeOfAPair", {.uri = tls::NodeUri("fleet", "a")}},
        Stranger{"AController", {.uri = tls::ControllerUri("fleet", "main")}},
        Stranger{"AnAgentOfAnotherFleet", {.uri = tls::AgentUri("other", "web-1", "a")}},
        Stranger{"WithTwoNames",
                 {.uri = tls::AgentUri("fleet", "web-1", "a"),
                  .second_uri = tls::AgentUri("fleet", "web-1", "b")}},
        Stranger{"WithoutAName", {}},
        Stranger{"Expired",
                 {.uri = tls::AgentUri("fleet", "web-1", "a"),
                  .valid_from = -absl::Hours(2),
                  .valid_to = -absl::Hours(1)}},
        Stranger{"SelfSigned", {.uri = tls::AgentUri("fleet", "web-1", "a"), .self_signed = true}},
        Stranger{"WithAnRsaKey",
                 {.uri = tls::AgentUri("fleet", "web-1", "a"), .kind = test::KeyKind::kRsa}}),
    [](const auto& instance) { return instance.param.name; });

TEST(HostileAgents, RefusesACertificateOfAnotherCa) {
  TestFleet fleet;
  const test::Authority other(fleet.directory(), "other");
  tls::Files files = other.Issue("impostor", {.uri = tls::AgentUri("fleet", "web-1", "a")});
  files.ca = fleet.IssueFor(kA).ca;  // it believes the controller
  auto impostor = fleet.DialWith(kA, files);
  impostor->SayHello();
  EXPECT_EQ(impostor->End().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(fleet.listener().Told().empty());
}

TEST(HostileAgents, RefusesWhoeverSpeaksBeforeHello) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  a->Say(Report("lab"));
  EXPECT_EQ(a->End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(fleet.listener().Told().empty());
}

TEST(HostileAgents, AFloodSlowsOnlyWhoMakesIt) {
  TestFleet fleet([](Agents::Options& options) { options.messages_per_second = 20; });
  auto flooder = fleet.Dial(kA);
  auto other = fleet.Dial(kB);
  ASSERT_TRUE(flooder->Enter());
  ASSERT_TRUE(other->Enter());
  // A burst of ten seconds, and far more behind it.
  constexpr int kFlood = 2000;
  std::atomic<int> said{0};
  std::thread flood([&] {
    while (said < kFlood && flooder->Say(Report(std::string(1000, 'x')))) ++said;
  });
  EXPECT_TRUE(fleet.Waits([](Agents& agents) { return agents.counters().throttled > 0; }));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(other->Say(Report("lab")));
  EXPECT_TRUE(fleet.listener().Waits("report web-1/b lab", 100));
  EXPECT_LT(fleet.listener().Count(absl::StrCat("report web-1/a ", std::string(1000, 'x'))), kFlood)
      << "all of the flood was taken before the other was heard";
  EXPECT_EQ(fleet.Connected(), 2u) << "the flooder is slowed, and not ended";
  flooder->Leave();
  flood.join();
}

TEST(HostileAgents, LargeMessagesCountAsSeveral) {
  TestFleet fleet([](Agents::Options& options) { options.messages_per_second = 1; });
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  v1::AgentMessage large;
  large.mutable_progress()->set_id(1);
  large.mutable_progress()->mutable_run_event()->set_standard_output(std::string(200 << 10, 'x'));
  ASSERT_TRUE(a->Say(large));
  EXPECT_TRUE(fleet.Waits([](Agents& agents) { return agents.counters().throttled > 0; }));
}

// Fills the wire and the queue of an agent that takes nothing.
void Stuff(TestFleet& fleet, const AgentId& id, int messages) {
  v1::ControllerMessage message;
  message.mutable_certificate()->set_certificate(std::string(100 << 10, 'x'));
  fleet.Do([&](Agents& agents) {
    for (int i = 0; i < messages; ++i) agents.Send(id, message);
  });
}

// Says hello, and takes nothing.
void EnterDeaf(TestFleet& fleet, TestAgent& agent) {
  agent.SayHello();
  ASSERT_TRUE(fleet.Waits([&](Agents& agents) { return agents.IsConnected(agent.id()); }));
}

TEST(HostileAgents, EndsAnAgentForWhichTooMuchWaits) {
  TestFleet fleet([](Agents::Options& options) { options.max_waiting = 16; });
  auto deaf = fleet.Dial(kA);
  auto other = fleet.Dial(kB);
  EnterDeaf(fleet, *deaf);
  ASSERT_TRUE(other->Enter());
  absl::Notification answered;
  int code = 0;
  fleet.Do([&](Agents& agents) {
    agents.Ask(kA, {}, [&](const v1::RequestProgress& progress) {
      code = progress.end().code();
      answered.Notify();
    });
  });
  Stuff(fleet, kA, 200);
  ASSERT_TRUE(answered.WaitForNotificationWithTimeout(kSoon));
  EXPECT_EQ(code, static_cast<int>(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(fleet.listener().Waits("gone web-1/a"));
  EXPECT_EQ(fleet.Counters().stuck, 1u);
  EXPECT_EQ(fleet.Connected(), 1u);
  // Although it had taken nothing so far: gRPC gives the status before what waits.
  EXPECT_EQ(deaf->End().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(deaf->End().error_message(), HasSubstr("does not take"));
}

TEST(HostileAgents, EndsAnAgentForWhichSomethingWaitsTooLong) {
  TestFleet fleet([](Agents::Options& options) { options.max_wait = absl::Milliseconds(200); });
  auto deaf = fleet.Dial(kA);
  auto other = fleet.Dial(kB);
  EnterDeaf(fleet, *deaf);
  ASSERT_TRUE(other->Enter());
  Stuff(fleet, kA, 100);
  EXPECT_TRUE(fleet.listener().Waits("gone web-1/a"));
  EXPECT_EQ(fleet.Counters().stuck, 1u);
  EXPECT_EQ(fleet.Connected(), 1u) << "who takes what it is sent, stays";
  EXPECT_EQ(deaf->End().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_LT(deaf->Heard(0).size(), 100u) << "what waited was kept for it";
}

TEST(HostileAgents, DeafOnesDoNotHoldUpTheEnd) {
  TestFleet fleet;
  std::vector<std::unique_ptr<TestAgent>> agents;
  for (int i = 0; i < 10; ++i) {
    agents.push_back(fleet.Dial({absl::StrCat("web-", i), "a"}));
    EnterDeaf(fleet, *agents.back());
    Stuff(fleet, agents.back()->id(), 100);
  }
  EXPECT_LT(fleet.Stop(), absl::Seconds(10));
}

}  // namespace
}  // namespace zcluster::controller
