// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/agents.h"

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/controller/agents/test_fleet.h"

namespace zcluster::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const AgentId kA{"web-1", "a"};
const AgentId kB{"web-1", "b"};

v1::ControllerMessage Taken(uint64_t number) {
  v1::ControllerMessage message;
  message.mutable_events_taken()->set_number(number);
  return message;
}

v1::AgentMessage Progress(uint64_t id, const std::string& step) {
  v1::AgentMessage message;
  message.mutable_progress()->set_id(id);
  message.mutable_progress()->mutable_step()->set_what(step);
  return message;
}

v1::AgentMessage Ended(uint64_t id, int code) {
  v1::AgentMessage message;
  message.mutable_progress()->set_id(id);
  message.mutable_progress()->mutable_end()->set_code(code);
  return message;
}

// What a request came to, as lines: "step drained", "end 14 why".
class Answers {
 public:
  Agents::Progress Take() {
    return [this](const v1::RequestProgress& progress) {
      absl::MutexLock lock(&mutex_);
      lines_.push_back(progress.has_end() ? absl::StrCat("end ", progress.end().code(), " ",
                                                         progress.end().message())
                                          : absl::StrCat("step ", progress.step().what()));
    };
  }
  std::vector<std::string> Wait(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return lines_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&there), kSoon);
    return lines_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

v1::FleetRequest Switchover() {
  v1::FleetRequest request;
  request.set_who("operator anna");
  request.mutable_switchover();
  return request;
}

TEST(Agents, LetsInAnAgentAndHearsIt) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  EXPECT_EQ(fleet.Connected(), 1u);
  EXPECT_THAT(fleet.listener().Proven(kA).key, HasSubstr("SHA256:"));
  EXPECT_EQ(fleet.listener().Proven(kA).address, "127.0.0.1");
  a->Say(Report("lab"));
  a->Say(Events(1, 256));
  v1::AgentMessage flows;
  flows.mutable_flows()->add_flows();
  a->Say(flows);
  v1::AgentMessage request;
  request.mutable_certificate_request()->set_request("PEM");
  a->Say(request);
  ASSERT_TRUE(fleet.listener().Waits("certificate web-1/a"));
  EXPECT_THAT(fleet.listener().Told(),
              ElementsAre("hello web-1/a", "report web-1/a lab", "events web-1/a 1-256",
                          "flows web-1/a 1", "certificate web-1/a"));
  fleet.Do([](Agents& agents) { agents.Send(kA, Taken(256)); });
  const auto heard = a->Heard(2);
  ASSERT_EQ(heard.size(), 2u);
  EXPECT_EQ(heard[1].events_taken().number(), 256u);
}

TEST(Agents, SaysOnceThatAnAgentIsGone) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  a->Leave();
  ASSERT_TRUE(fleet.listener().Waits("gone web-1/a"));
  EXPECT_EQ(fleet.Connected(), 0u);
  fleet.Do([](Agents& agents) { EXPECT_FALSE(agents.IsConnected(kA)); });
  fleet.Do([](Agents& agents) { agents.Send(kA, Taken(1)); });  // goes nowhere
  EXPECT_EQ(fleet.listener().Count("gone web-1/a"), 1);
}

TEST(Agents, SecondStreamEndsTheFirst) {
  TestFleet fleet;
  const tls::Files files = fleet.IssueFor(kA);
  auto first = fleet.DialWith(kA, files);
  ASSERT_TRUE(first->Enter());
  auto second = fleet.DialWith(kA, files);
  ASSERT_TRUE(second->Enter());
  EXPECT_EQ(first->End().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(first->End().error_message(), HasSubstr("another stream of this agent"));
  EXPECT_THAT(fleet.listener().Told(),
              ElementsAre("hello web-1/a", "gone web-1/a", "hello web-1/a"));
  EXPECT_EQ(fleet.Connected(), 1u);
  second->Say(Report("lab"));
  EXPECT_TRUE(fleet.listener().Waits("report web-1/a lab"));
}

TEST(Agents, RefusesWhatTheListenerRefuses) {
  TestFleet fleet;
  fleet.listener().Refuse(absl::PermissionDeniedError("web-1 was forgotten"));
  auto a = fleet.Dial(kA);
  a->SayHello();
  EXPECT_EQ(a->End().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(a->End().error_message(), "web-1 was forgotten");
  EXPECT_EQ(fleet.Connected(), 0u);
  EXPECT_EQ(fleet.listener().Count("gone web-1/a"), 0) << "it was never in";
}

TEST(Agents, RefusesTheHelloOfAnother) {
  TestFleet fleet;
  for (const AgentId& claimed : {kB, AgentId{"web-2", "a"}}) {
    auto a = fleet.Dial(kA);
    a->Say(Hello(claimed));
    EXPECT_EQ(a->End().error_code(), grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_THAT(a->End().error_message(), HasSubstr("the certificate of web-1/a"));
  }
  EXPECT_THAT(fleet.listener().Told(), ElementsAre());
}

TEST(Agents, EndsWhoeverSaysNothing) {
  TestFleet fleet([](Agents::Options& options) { options.patience = absl::Milliseconds(50); });
  auto a = fleet.Dial(kA);
  EXPECT_EQ(a->End().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(a->End().error_message(), HasSubstr("no hello"));
}

TEST(Agents, LetsAnAgentHoldOneSilentStream) {
  TestFleet fleet([](Agents::Options& options) { options.patience = absl::Hours(1); });
  const tls::Files files = fleet.IssueFor(kA);
  auto one = fleet.DialWith(kA, files);
  auto other = fleet.DialWith(kA, files);
  one->Listen();
  other->Listen();
  // Whichever came first was ended for the other, which may still speak.
  ASSERT_TRUE(fleet.Waits([&](Agents&) { return one->ended() || other->ended(); }));
  TestAgent& gone = one->ended() ? *one : *other;
  TestAgent& left = one->ended() ? *other : *one;
  EXPECT_EQ(gone.End().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_TRUE(left.Enter());
}

TEST(Agents, RefusesMoreThanTheFleetTakes) {
  TestFleet fleet([](Agents::Options& options) { options.max_agents = 1; });
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  auto b = fleet.Dial(kB);
  b->SayHello();
  EXPECT_EQ(b->End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(b->End().error_message(), HasSubstr("the fleet is full"));
  EXPECT_EQ(fleet.Connected(), 1u);
}

TEST(Agents, EndsAStreamThatSaysWhatNobodyMay) {
  TestFleet fleet;
  v1::AgentMessage gap = Events(1, 2);
  gap.mutable_events()->mutable_events(1)->set_number(3);
  v1::AgentMessage large = Report(std::string(300 << 10, 'x'));
  for (const v1::AgentMessage& bad :
       {gap, large, Events(1, 257), Hello(kA), Report(std::string(5000, 'x'))}) {
    auto a = fleet.Dial(kA);
    ASSERT_TRUE(a->Enter());
    const int gone = fleet.listener().Count("gone web-1/a");
    a->Say(bad);
    EXPECT_FALSE(a->End().ok()) << bad.ShortDebugString().substr(0, 80);
    EXPECT_TRUE(fleet.listener().Waits("gone web-1/a", gone + 1));
  }
  for (const std::string& line : fleet.listener().Told()) {
    EXPECT_TRUE(line == "hello web-1/a" || line == "gone web-1/a") << line;
  }
}

TEST(Agents, ToleratesAKindThatItDoesNotKnow) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  a->Say(v1::AgentMessage());
  a->Say(Report("lab"));
  EXPECT_TRUE(fleet.listener().Waits("report web-1/a lab"));
}

TEST(Agents, AsksAndPassesOnWhatComesOfIt) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  Answers first;
  Answers second;
  fleet.Do([&](Agents& agents) {
    agents.Ask(kA, Switchover(), first.Take());
    agents.Ask(kA, Switchover(), second.Take());
  });
  const auto heard = a->Heard(3);
  ASSERT_EQ(heard.size(), 3u);
  const uint64_t one = heard[1].request().id();
  const uint64_t two = heard[2].request().id();
  EXPECT_NE(one, two);
  EXPECT_EQ(heard[1].request().who(), "operator anna");
  a->Say(Progress(two, "drained"));
  a->Say(Ended(one, 9));
  a->Say(Progress(one, "too late"));
  a->Say(Progress(4711, "of nobody"));
  a->Say(Ended(two, 0));
  EXPECT_THAT(second.Wait(2), ElementsAre("step drained", "end 0 "));
  EXPECT_THAT(first.Wait(1), ElementsAre("end 9 "));
}

TEST(Agents, AnswersForAnAgentThatIsNotThereOrGoes) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  Answers absent;
  Answers gone;
  fleet.Do([&](Agents& agents) {
    agents.Ask(kB, Switchover(), absent.Take());
    agents.Ask(kA, Switchover(), gone.Take());
  });
  EXPECT_THAT(absent.Wait(1), ElementsAre("end 14 web-1/b is not connected"));
  ASSERT_EQ(a->Heard(2).size(), 2u);
  a->Leave();
  EXPECT_THAT(gone.Wait(1), ElementsAre(HasSubstr("end 14 the connection to web-1/a ended")));
}

TEST(Agents, BoundsWhatOneAgentIsAsked) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  Answers many;
  Answers one_more;
  Answers large;
  fleet.Do([&](Agents& agents) {
    v1::FleetRequest wide = Switchover();
    wide.set_from(std::string(300 << 10, 'x'));
    agents.Ask(kA, wide, large.Take());
    for (int i = 0; i < 64; ++i) agents.Ask(kA, Switchover(), many.Take());
    agents.Ask(kA, Switchover(), one_more.Take());
  });
  EXPECT_THAT(one_more.Wait(1), ElementsAre(HasSubstr("end 8 web-1/a has 64 requests")));
  EXPECT_THAT(large.Wait(1), ElementsAre(HasSubstr("end 3 the request has")));
}

TEST(Agents, SendsToAll) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  auto b = fleet.Dial(kB);
  ASSERT_TRUE(a->Enter());
  ASSERT_TRUE(b->Enter());
  fleet.Do([](Agents& agents) { agents.SendToAll(Taken(7)); });
  for (TestAgent* agent : {a.get(), b.get()}) {
    const auto heard = agent->Heard(2);
    ASSERT_EQ(heard.size(), 2u);
    EXPECT_EQ(heard[1].events_taken().number(), 7u);
  }
}

TEST(Agents, DisconnectsAfterWhatWasSent) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  fleet.Do([](Agents& agents) {
    agents.Send(kA, Taken(7));
    agents.Disconnect(kA, absl::PermissionDeniedError("web-1/a was forgotten"));
    EXPECT_FALSE(agents.IsConnected(kA));
  });
  EXPECT_EQ(a->End().error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(a->End().error_message(), "web-1/a was forgotten");
  EXPECT_EQ(a->Heard(2).size(), 2u);
  EXPECT_EQ(fleet.listener().ReasonOf(kA), "web-1/a was forgotten");
}

TEST(Agents, CanBeDisconnectedByWhoHearsThem) {
  TestFleet fleet;
  auto a = fleet.Dial(kA);
  ASSERT_TRUE(a->Enter());
  Agents* agents = nullptr;
  fleet.Do([&](Agents& those) { agents = &those; });
  fleet.listener().AtReport([agents](const AgentId& agent) {
    agents->Disconnect(agent, absl::FailedPreconditionError("enough"));
  });
  a->Say(Report("lab"));
  EXPECT_EQ(a->End().error_message(), "enough");
  EXPECT_TRUE(fleet.listener().Waits("gone web-1/a"));
}

TEST(Agents, NamesAnAddressThatItCannotHave) {
  TestFleet fleet;
  Loop loop;
  TestListener listener;
  const tls::Files files = fleet.IssueFor(kA);
  const auto second = Agents::Start(
      loop, {.listen = absl::StrCat("127.0.0.1:", fleet.port()), .fleet = "fleet", .files = files},
      listener);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(absl::StrCat(fleet.port())));
}

TEST(Agents, GivesWhatWasSentBeforeItStops) {
  TestFleet fleet;
  std::vector<std::unique_ptr<TestAgent>> agents;
  for (int i = 0; i < 60; ++i) {
    agents.push_back(fleet.Dial({absl::StrCat("web-", i), "a"}));
    ASSERT_TRUE(agents.back()->Enter());
  }
  fleet.Do([](Agents& all) { all.SendToAll(Taken(99)); });
  EXPECT_LT(fleet.Stop(), absl::Seconds(5));
  for (const auto& agent : agents) {
    EXPECT_EQ(agent->End().error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(agent->End().error_message(), HasSubstr("the controller is stopping"));
    EXPECT_EQ(agent->Heard(2).size(), 2u);
  }
  EXPECT_EQ(fleet.listener().Count("gone web-1/a"), 0) << "nothing is told from the end on";
}

}  // namespace
}  // namespace zcluster::controller
