// SPDX-License-Identifier: Apache-2.0
#include "controller/core/summary.h"

#include <gmock/gmock.h>

#include "tests/controller/core/said.h"

namespace zcluster::controller {
namespace {

using testing::HasSubstr;

AgentView Speaking(const v1::AgentReport& report) {
  AgentView agent;
  agent.connected = true;
  agent.Take(report);
  return agent;
}

AgentViews Well() {
  return {{"lb1", Speaking(Says("lb1", v1::ROLE_MASTER, "lb2", v1::ROLE_BACKUP))},
          {"lb2", Speaking(Says("lb2", v1::ROLE_BACKUP, "lb1", v1::ROLE_MASTER))}};
}

v1::PairSummary Look(const AgentViews& agents) {
  return Summarise("web-1", {{"env", "prod"}}, agents);
}

TEST(Summary, OfAHealthyPair) {
  const v1::PairSummary pair = Look(Well());
  EXPECT_EQ(pair.name(), "web-1");
  EXPECT_EQ(pair.status(), v1::STATUS_GREEN);
  EXPECT_EQ(pair.message(), "lb1: as it should be");
  EXPECT_EQ(pair.master(), "lb1");
  EXPECT_TRUE(pair.ready());
  EXPECT_EQ(pair.flows(), 100U);
  EXPECT_EQ(pair.term(), 8U);
  EXPECT_EQ(pair.generation(), 3U);
  EXPECT_EQ(pair.labels().at("env"), "prod");
  ASSERT_EQ(pair.nodes_size(), 2);
  EXPECT_EQ(pair.nodes(0).name(), "lb1");
  EXPECT_TRUE(pair.nodes(0).connected());
  EXPECT_EQ(pair.nodes(1).role(), v1::ROLE_BACKUP);
}

// The worst colour of the two nodes, whichever of them has it.
TEST(Summary, TakesTheWorstColour) {
  const v1::Status worst_first[] = {v1::STATUS_RED, v1::STATUS_GREY, v1::STATUS_ORANGE,
                                    v1::STATUS_GREEN};
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) {
      AgentViews agents = Well();
      agents["lb1"].own.status = worst_first[i];
      agents["lb2"].own.status = worst_first[j];
      EXPECT_EQ(Look(agents).status(), worst_first[std::min(i, j)]) << i << j;
    }
  }
}

TEST(Summary, NamesTheNodeThatIsTheReason) {
  AgentViews agents = Well();
  agents["lb2"].own.status = v1::STATUS_RED;
  agents["lb2"].own.message = "not ready to take over: eth0 is down";
  EXPECT_EQ(Look(agents).message(), "lb2: not ready to take over: eth0 is down");
}

TEST(Summary, IsRedWhileBothAreMaster) {
  AgentViews agents = Well();
  agents["lb2"].own.role = v1::ROLE_MASTER;
  const v1::PairSummary pair = Look(agents);
  EXPECT_EQ(pair.status(), v1::STATUS_RED);
  EXPECT_EQ(pair.message(), "lb1 and lb2 are both MASTER");
  EXPECT_FALSE(pair.ready());
}

TEST(Summary, ShowsANodeWhoseAgentIsAwayByItsPeersWordButNeverGreen) {
  AgentViews agents = Well();
  agents["lb2"].connected = false;
  agents["lb2"].away = "the connection was lost";
  v1::PairSummary pair = Look(agents);
  EXPECT_EQ(pair.status(), v1::STATUS_GREY);
  EXPECT_EQ(pair.nodes(1).status(), v1::STATUS_GREY);
  EXPECT_EQ(pair.nodes(1).role(), v1::ROLE_BACKUP);
  EXPECT_EQ(pair.message(),
            "lb2: its agent is away: the connection was lost; by the word of lb1: BACKUP, there "
            "too");
  agents["lb1"].peer.status = v1::STATUS_RED;
  pair = Look(agents);
  EXPECT_EQ(pair.status(), v1::STATUS_RED);
}

TEST(Summary, KnowsTheMasterByItsPeersWord) {
  AgentViews agents = Well();
  agents["lb1"].connected = false;
  const v1::PairSummary pair = Look(agents);
  EXPECT_EQ(pair.master(), "lb1");
  EXPECT_FALSE(pair.ready()) << "only the master's own word counts";
  EXPECT_EQ(pair.term(), 8U);
}

TEST(Summary, BelievesNothingOldOfAnAgentThatCameBack) {
  AgentViews agents = Well();
  agents["lb1"].reported = false;
  agents["lb2"].connected = false;
  const v1::PairSummary pair = Look(agents);
  EXPECT_EQ(pair.nodes(0).role(), v1::ROLE_UNSPECIFIED);
  EXPECT_EQ(pair.nodes(0).status(), v1::STATUS_GREY);
  EXPECT_THAT(pair.nodes(0).message(), HasSubstr("has not reported yet"));
}

TEST(Summary, IsGreyWithoutAnyAgent) {
  AgentViews agents = Well();
  agents["lb1"] = AgentView();
  agents["lb2"].connected = false;
  agents["lb2"].away = "it said nothing for 30s";
  agents["lb2"].own.status = v1::STATUS_RED;
  const v1::PairSummary pair = Look(agents);
  EXPECT_EQ(pair.status(), v1::STATUS_GREY);
  EXPECT_EQ(pair.message(),
            "no agent is connected; lb1: its agent has not connected since the controller started");
  EXPECT_EQ(pair.master(), "");
  EXPECT_EQ(Look({}).message(), "no node of it is enrolled");
  EXPECT_EQ(Look({}).status(), v1::STATUS_GREY);
}

TEST(Summary, ShowsTheNodeThatIsNotEnrolled) {
  AgentViews agents = Well();
  agents.erase("lb2");
  const v1::PairSummary pair = Look(agents);
  ASSERT_EQ(pair.nodes_size(), 2);
  EXPECT_EQ(pair.nodes(1).name(), "lb2");
  EXPECT_FALSE(pair.nodes(1).connected());
  EXPECT_EQ(pair.nodes(1).message(), "it is not enrolled; by the word of lb1: BACKUP, there too");
  EXPECT_EQ(pair.status(), v1::STATUS_GREEN);
}

TEST(Summary, DiffersInNothingButCounters) {
  const v1::PairSummary pair = Look(Well());
  AgentViews agents = Well();
  agents["lb1"].flows = 7;
  EXPECT_TRUE(SameButCounters(pair, Look(agents)));
  agents = Well();
  agents["lb2"].own.message = "other";
  EXPECT_FALSE(SameButCounters(pair, Look(agents)));
  agents = Well();
  agents["lb1"].term = 9;
  EXPECT_FALSE(SameButCounters(pair, Look(agents)));
  EXPECT_FALSE(SameButCounters(pair, Summarise("web-1", {{"env", "test"}}, Well())));
}

}  // namespace
}  // namespace zcluster::controller
