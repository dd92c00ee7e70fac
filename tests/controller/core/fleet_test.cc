// SPDX-License-Identifier: Apache-2.0
#include "controller/core/fleet.h"

#include <gmock/gmock.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/controller/core/said.h"

namespace zcluster::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const AgentId kLb1{"web-1", "lb1"};
const AgentId kLb2{"web-1", "lb2"};
const absl::Time kStart = absl::UnixEpoch() + absl::Hours(1);

v1::AgentReport Master() { return Says("lb1", v1::ROLE_MASTER, "lb2", v1::ROLE_BACKUP); }
v1::AgentReport Backup() { return Says("lb2", v1::ROLE_BACKUP, "lb1", v1::ROLE_MASTER); }

class FleetTest : public testing::Test {
 protected:
  FleetTest() {
    fleet_.PutPair("web-1", {{"env", "prod"}});
    fleet_.PutAgent(kLb1);
    fleet_.PutAgent(kLb2);
    fleet_.Connected(kLb1, Hello("web-1", "lb1"), kStart);
    fleet_.Connected(kLb2, Hello("web-1", "lb2"), kStart);
    fleet_.Report(kLb1, Master(), kStart);
    fleet_.Report(kLb2, Backup(), kStart);
    fleet_.TakeChanged();
  }
  v1::Status status() { return fleet_.Find("web-1")->status(); }

  Fleet fleet_;
};

TEST_F(FleetTest, FollowsWhatAgentsSay) {
  EXPECT_EQ(status(), v1::STATUS_GREEN);
  fleet_.Gone(kLb2, "the connection was lost", kStart);
  EXPECT_EQ(status(), v1::STATUS_GREY);
  EXPECT_THAT(fleet_.TakeChanged(), ElementsAre("web-1"));
  EXPECT_THAT(fleet_.TakeChanged(), IsEmpty());
  fleet_.Connected(kLb2, Hello("web-1", "lb2"), kStart);
  fleet_.Report(kLb2, Backup(), kStart);
  EXPECT_EQ(status(), v1::STATUS_GREEN);
}

TEST_F(FleetTest, SameWordsAreNoChange) {
  fleet_.Report(kLb1, Master(), kStart + absl::Seconds(10));
  fleet_.Heard(kLb2, kStart + absl::Seconds(10));
  EXPECT_THAT(fleet_.TakeChanged(), IsEmpty());
}

TEST_F(FleetTest, TellsCountersNotMoreOftenThanItSays) {
  v1::AgentReport report = Master();
  int told = 0;
  for (int i = 1; i <= 100; ++i) {  // 20 seconds
    report.mutable_status()->mutable_conntrack()->set_flows(100 + static_cast<uint64_t>(i));
    fleet_.Report(kLb1, report, kStart + i * absl::Milliseconds(200));
    told += static_cast<int>(fleet_.TakeChanged().size());
  }
  EXPECT_EQ(told, 4);
  EXPECT_EQ(fleet_.Find("web-1")->flows(), 200U) << "what is asked for is always the latest";
}

TEST_F(FleetTest, TellsTheLastCounterEvenIfItStandsStillSince) {
  v1::AgentReport report = Master();
  report.mutable_status()->mutable_conntrack()->set_flows(7);
  fleet_.Report(kLb1, report, kStart + absl::Seconds(1));
  EXPECT_THAT(fleet_.TakeChanged(), IsEmpty());
  fleet_.Report(kLb1, report, kStart + absl::Seconds(16));
  EXPECT_THAT(fleet_.TakeChanged(), ElementsAre("web-1"));
}

TEST_F(FleetTest, ShowsAges) {
  fleet_.Heard(kLb1, kStart + absl::Seconds(4));
  fleet_.PutAgent({"web-1", "lb3"});
  const v1::PairSummary shown =
      fleet_.Show(*fleet_.Find("web-1"), kStart + absl::Milliseconds(6500));
  EXPECT_EQ(shown.nodes(0).age().seconds(), 2);
  EXPECT_EQ(shown.nodes(0).age().nanos(), 500'000'000);
  EXPECT_EQ(shown.nodes(1).age().seconds(), 6);
  EXPECT_FALSE(shown.nodes(2).has_age()) << "never heard of";
}

TEST_F(FleetTest, ForgetsAndCounts) {
  EXPECT_EQ(fleet_.agents(), 2U);
  fleet_.DropAgent(kLb2);
  EXPECT_EQ(fleet_.agents(), 1U);
  EXPECT_EQ(fleet_.FindAgent(kLb2), nullptr);
  fleet_.DropPair("web-1");
  EXPECT_EQ(fleet_.pairs(), 0U);
  EXPECT_EQ(fleet_.agents(), 0U);
  EXPECT_EQ(fleet_.Find("web-1"), nullptr);
  EXPECT_THAT(fleet_.TakeChanged(), ElementsAre("web-1"));
}

TEST_F(FleetTest, DropsWhatIsSaidOfThoseItDoesNotKnow) {
  const AgentId nobody{"web-9", "lb1"};
  fleet_.PutAgent(nobody);
  fleet_.Connected(nobody, Hello("web-9", "lb1"), kStart);
  fleet_.Report(nobody, Master(), kStart);
  fleet_.Gone({"web-1", "lb7"}, "x", kStart);
  EXPECT_EQ(fleet_.pairs(), 1U);
  EXPECT_THAT(fleet_.TakeChanged(), IsEmpty());
}

TEST_F(FleetTest, ChangesLabels) {
  fleet_.PutPair("web-1", {{"env", "test"}});
  EXPECT_THAT(fleet_.TakeChanged(), ElementsAre("web-1"));
  EXPECT_EQ(fleet_.Matching(*Selector::Parse("env=test")).size(), 1U);
  EXPECT_THAT(fleet_.Matching(*Selector::Parse("env=prod")), IsEmpty());
  EXPECT_EQ(status(), v1::STATUS_GREEN) << "what the agents said stays";
}

// Whoever applies the changes to what it had sees what whoever asks sees.
TEST(Fleet, ChangesAreComplete) {
  std::mt19937 random(5);
  Fleet fleet;
  std::map<std::string, v1::PairSummary> mirror;
  absl::Time now = kStart;
  const auto any_agent = [&random] {
    return AgentId{absl::StrCat("p", random() % 5), absl::StrCat("n", random() % 2)};
  };
  for (int step = 0; step < 20'000; ++step) {
    now += absl::Milliseconds(random() % 100);
    const AgentId agent = any_agent();
    const std::string peer = agent.node == "n0" ? "n1" : "n0";
    switch (random() % 9) {
      case 0:
        fleet.PutPair(agent.pair, {{"k", absl::StrCat(random() % 2)}});
        break;
      case 1:
        if (random() % 10 == 0) fleet.DropPair(agent.pair);
        break;
      case 2:
        fleet.PutAgent(agent);
        break;
      case 3:
        if (random() % 5 == 0) fleet.DropAgent(agent);
        break;
      case 4:
        fleet.Connected(agent, Hello(agent.pair, agent.node), now);
        break;
      case 5:
        fleet.Gone(agent, absl::StrCat("reason ", random() % 2), now);
        break;
      default:
        fleet.Report(agent,
                     Says(agent.node, static_cast<v1::Role>(random() % 6), peer,
                          static_cast<v1::Role>(random() % 6)),
                     now);
    }
    for (const std::string& name : fleet.TakeChanged()) {
      const v1::PairSummary* pair = fleet.Find(name);
      if (pair == nullptr) {
        mirror.erase(name);
      } else {
        mirror[name] = *pair;
      }
    }
    ASSERT_EQ(fleet.pairs(), mirror.size());
    for (const auto& [name, pair] : mirror)
      ASSERT_TRUE(SameButCounters(pair, *fleet.Find(name))) << step;
  }
}

TEST(Fleet, ListsThousandsInMilliseconds) {
  Fleet fleet;
  for (int i = 0; i < 2500; ++i) {
    const std::string name = absl::StrCat("pair-", i);
    fleet.PutPair(name, {{"env", i % 2 == 0 ? "prod" : "test"}});
    for (const char* node : {"lb1", "lb2"}) {
      fleet.PutAgent({name, node});
      fleet.Connected({name, node}, Hello(name, node), kStart);
    }
    fleet.Report({name, "lb1"}, Master(), kStart);
    fleet.Report({name, "lb2"}, Backup(), kStart);
  }
  const absl::Time begin = absl::Now();
  v1::ListPairsResponse list;
  for (const v1::PairSummary* pair : fleet.Matching(*Selector::Parse("status=GREEN")))
    *list.add_pairs() = fleet.Show(*pair, kStart);
  const absl::Duration took = absl::Now() - begin;
  EXPECT_EQ(list.pairs_size(), 2500);
  RecordProperty("microseconds", static_cast<int>(absl::ToInt64Microseconds(took)));
  EXPECT_LT(took, absl::Seconds(2)) << "a few ms on an idle machine";
}

}  // namespace
}  // namespace zcluster::controller
