// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/hub.h"

#include "tests/controller/hub/house.h"
#include "tests/support/loop_thread.h"

namespace zcluster::controller {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class HubTest : public testing::Test, protected House {
 protected:
  v1::Status status() { return hub->fleet().Find("web-1")->status(); }
};

TEST_F(HubTest, LetsAnEnrolledAgentInAndSaysWhatItHasOfItsEvents) {
  store.Agent(lb1)->journal = "j1";
  store.Agent(lb1)->events_taken = 41;
  Open();
  const absl::StatusOr<v1::Welcome> welcome = Connect(lb1);
  ASSERT_TRUE(welcome.ok()) << welcome.status();
  EXPECT_EQ(welcome->controller(), "c1");
  EXPECT_EQ(welcome->protocol(), 1U);
  EXPECT_EQ(welcome->events_taken(), 41U);
  EXPECT_EQ(welcome->report_interval().seconds(), 15);
  EXPECT_TRUE(welcome->has_pacing());
  v1::AgentHello other = Hello("web-1", "lb1");
  other.set_journal("another");
  EXPECT_EQ(Connect(lb1, "", other)->events_taken(), 0U) << "another journal begins anew";
}

TEST_F(HubTest, RefusesWhomItDoesNotKnow) {
  EXPECT_EQ(Connect({"web-1", "lb9"}).status().code(), absl::StatusCode::kPermissionDenied);
  const absl::Status old_key = Connect(lb1, "SHA256:older").status();
  EXPECT_EQ(old_key.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(old_key.message()), HasSubstr("enrolled anew with another key"));
  v1::AgentHello hello = Hello("web-1", "lb1");
  hello.set_protocol(3);
  EXPECT_EQ(Connect(lb1, "", hello).status().code(), absl::StatusCode::kFailedPrecondition);
  hello.set_protocol(2);
  EXPECT_TRUE(Connect(lb1, "", hello).ok());
}

TEST_F(HubTest, RefusesMoreThanTheFleetTakes) {
  Hub::Options options = DefaultOptions();
  options.max_agents = 1;
  Open(options);
  ASSERT_TRUE(Connect(lb1).ok());
  EXPECT_EQ(Connect(lb2).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(Connect(lb1).ok()) << "a second stream of the same agent takes no more room";
}

TEST_F(HubTest, TellsWhatChanges) {
  std::set<std::string> told;
  const Loop::Registration watch = hub->changes().Add(
      [&told](const std::set<std::string>& names) { told.insert(names.begin(), names.end()); });
  ConnectBoth();
  EXPECT_EQ(status(), v1::STATUS_GREEN);
  EXPECT_THAT(told, ElementsAre("web-1"));
  told.clear();
  hub->OnReport(lb1, Says("lb1", v1::ROLE_MASTER, "lb2", v1::ROLE_BACKUP));
  EXPECT_TRUE(told.empty());
  Leave(lb2);
  EXPECT_EQ(status(), v1::STATUS_GREY);
  EXPECT_THAT(told, ElementsAre("web-1"));
}

TEST_F(HubTest, EndsTheStreamOfAnAgentThatBreaksABound) {
  ConnectBoth();
  hub->OnReport(lb1, Says("another", v1::ROLE_MASTER, "lb2", v1::ROLE_BACKUP));
  hub->OnEvents(lb2, House::Batch(0, 0));
  ASSERT_EQ(agents.ended.size(), 2U);
  EXPECT_EQ(agents.ended[0].second.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(agents.ended[1].first, lb2);
}

TEST_F(HubTest, AcknowledgesEventsAndTellsThatThereAreMore) {
  ConnectBoth();
  int grown = 0;
  const Loop::Registration follow = hub->grown().Add([&grown] { ++grown; });
  hub->OnEvents(lb1, Batch(1, 3));
  EXPECT_EQ(TakenOf(lb1), 3U);
  EXPECT_EQ(grown, 1);
  Leave(lb1);
  EXPECT_EQ(Connect(lb1)->events_taken(), 3U);
  EXPECT_EQ(hub->figures().events_taken, 3U);
}

TEST_F(HubTest, TellsWhatAnAgentHasLost) {
  ConnectBoth();
  hub->OnEvents(lb1, Batch(8, 8));
  EXPECT_THAT(store.Names(), ElementsAre("e8", "events_lost"));
  const v1::FleetEvent& event = store.all.back();
  EXPECT_EQ(event.node(), "");
  EXPECT_EQ(event.event().fields(0).value(), "lb1");
  EXPECT_EQ(event.event().fields(1).value(), "7");
  EXPECT_TRUE(event.event().warning());
  EXPECT_EQ(hub->figures().events_lost, 7U);
}

TEST_F(HubTest, ShowsFlowsOnlyWhileSomebodyLooks) {
  ConnectBoth();
  const auto asked = [this](const AgentId& agent) {
    const auto& sent = agents.sent[agent];
    return sent.empty() || !sent.back().has_flows() ? -1
                                                    : int(sent.back().flows().max_per_second());
  };
  EXPECT_EQ(asked(lb1), -1);
  int seen = 0;
  auto first = hub->flows().Add("web-1", 10, [&seen](const v1::FlowsSeen&) { ++seen; });
  auto second = hub->flows().Add("web-1", 50, [&seen](const v1::FlowsSeen&) { ++seen; });
  EXPECT_EQ(asked(lb1), 50);
  EXPECT_EQ(asked(lb2), 50);
  v1::FlowsSeen flows;
  flows.add_flows();
  hub->OnFlows(lb1, flows);
  EXPECT_EQ(seen, 2);
  // One that comes back knows nothing of it, and is told after its Welcome.
  Leave(lb1);
  agents.sent.clear();
  ASSERT_TRUE(Connect(lb1).ok());
  EXPECT_EQ(asked(lb1), -1);
  hub->OnReport(lb1, Says("lb1", v1::ROLE_MASTER, "lb2", v1::ROLE_BACKUP));
  EXPECT_EQ(asked(lb1), 50);
  second->reset();
  EXPECT_EQ(asked(lb1), 10);
  first->reset();
  EXPECT_EQ(asked(lb1), 0);
}

TEST_F(HubTest, TellsAgentsHowToComeBackBeforeItStops) {
  ConnectBoth();
  hub->Stop();
  EXPECT_TRUE(agents.sent[lb1].back().has_pacing());
  EXPECT_GE(agents.sent[lb2].back().pacing().reconnect_after().seconds(), 1);
}

TEST_F(HubTest, CountsWhatMetricsShow) {
  ConnectBoth();
  const Figures figures = hub->figures();
  EXPECT_EQ(figures.pairs.at(v1::STATUS_GREEN), 1U);
  EXPECT_EQ(figures.pairs_ready, 1U);
  EXPECT_EQ(figures.agents_enrolled, 2U);
  EXPECT_EQ(figures.agents_connected, 2U);
}

TEST(HubAbsence, IsToldOnceAnAgentIsAwayTooLongAndWhenItIsBack) {
  House house;
  Hub::Options options = House::DefaultOptions();
  options.patience = absl::Milliseconds(1);
  test::LoopThread thread;
  std::unique_ptr<Hub> hub;
  const auto hello = [&] {
    return hub->OnHello({house.lb1, House::KeyOf("lb1"), "192.0.2.7"}, Hello("web-1", "lb1"));
  };
  thread.Do([&] {
    hub = std::make_unique<Hub>(thread.loop(), options, house.store, Signer{{}, {}, absl::Hours(1)},
                                [](auto) {});
    ASSERT_TRUE(hello().ok());
    hub->OnGone(house.lb1, "the connection was lost");
  });
  bool told = false;
  for (const absl::Time end = absl::Now() + absl::Seconds(20); !told && absl::Now() < end;)
    thread.Do([&] { told = !house.store.all.empty(); });
  thread.Do([&] {
    ASSERT_TRUE(hello().ok());
    EXPECT_THAT(house.store.Names(), ElementsAre("agent_lost", "agent_returned"));
    EXPECT_EQ(house.store.all[0].event().fields(1).value(), "the connection was lost");
    hub.reset();
  });
}

TEST_F(HubTest, SaysNothingOfAnAgentThatIsSoonBack) {
  ConnectBoth();
  Leave(lb1);
  ASSERT_TRUE(Connect(lb1).ok());
  EXPECT_TRUE(store.all.empty());
}

}  // namespace
}  // namespace zcluster::controller
