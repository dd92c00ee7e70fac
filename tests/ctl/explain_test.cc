// SPDX-License-Identifier: Apache-2.0
// zctl explain, as people and programs read it; tests/ctl/transition_test.cc has what is found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "tests/ctl/invoke.h"

namespace zcluster::ctl {
namespace {

using testing::HasSubstr;
using testing::Not;

// 2026-02-01 12:00:00 UTC.
constexpr int64_t kNoon = 1769947200000;

class ExplainTest : public CtlTest {
 protected:
  void Switch() {
    agent_.peer_ahead_ms = 5000;
    agent_.Happen(true, kNoon + 5000, "operation_started",
                  {{"operation", "switchover"}, {"by", "operator anna"}, {"reason", "new disk"}});
    agent_.Happen(true, kNoon + 5004, "gives_way");
    agent_.Happen(false, kNoon + 10, "vrrp_changed", {{"to", "MASTER"}});
    agent_.Happen(false, kNoon + 11, "promoted",
                  {{"term", "8"},
                   {"cause", "peer_stood_aside"},
                   {"flows_held", "90"},
                   {"ended_on_peer", "3"}});
  }
};

TEST_F(ExplainTest, TellsPeopleTheStory) {
  Switch();
  const Outcome outcome = Ask({"explain"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "switchover to node1 from node2, term 8, 2026-02-01 12:00:00.011 UTC\n"
            "cause        node2 handed over to node1\n"
            "asked by     operator anna\n"
            "reason       new disk\n"
            "barrier      4.0 ms: asked for, until the peer held all\n"
            "election     6.0 ms (give or take 0.2 ms): the old master gave way, until keepalived "
            "on the new one took over\n"
            "vip          not known: keepalived took over, until every VIP was on its interface\n"
            "first packet not known: keepalived took over, until the first packet to a VIP came\n"
            "decision     1.0 ms: keepalived took over, until the brain had decided to stay\n"
            "recovery     not known: no standby has been seen since\n"
            "connections  90 forwarded lived on, 3 that ended on the old master broke\n"
            "clocks       node2: clock 5s ahead, give or take 250us\n"
            "\n"
            "       -11.0 ms  2026-02-01 12:00:05.000 UTC  node2  operation_started  "
            "operation=switchover by=\"operator anna\" reason=\"new disk\"\n"
            "        -7.0 ms  2026-02-01 12:00:05.004 UTC  node2  gives_way\n"
            "        -1.0 ms  2026-02-01 12:00:00.010 UTC  node1  vrrp_changed  to=MASTER\n"
            "        +0.0 ms  2026-02-01 12:00:00.011 UTC  node1  promoted  term=8 "
            "cause=peer_stood_aside flows_held=90 ended_on_peer=3\n");
}

TEST_F(ExplainTest, TellsProgramsAllNumbers) {
  Switch();
  const Outcome outcome = Ask({"explain", "failover", "--term", "8", "-o", "json"});
  ASSERT_EQ(outcome.code, kOk) << outcome.err;
  const YAML::Node json = YAML::Load(outcome.out);
  EXPECT_EQ(json["term"].as<int>(), 8);
  EXPECT_EQ(json["steps"][1]["name"].as<std::string>(), "election");
  EXPECT_EQ(json["steps"][1]["took_ms"].as<double>(), 6);
  EXPECT_EQ(json["steps"][1]["uncertainty_ms"].as<double>(), 0.25);
  EXPECT_TRUE(json["steps"][5]["took_ms"].IsNull());
  EXPECT_EQ(json["connections"]["forwarded_lived"].as<int>(), 90);
  EXPECT_EQ(json["connections"]["ended_on_node_broke"].as<int>(), 3);
  EXPECT_EQ(json["nodes"][1]["clock_ahead_ms"].as<double>(), 5000);
  EXPECT_EQ(json["timeline"].size(), 4u);
  EXPECT_EQ(json["timeline"][0]["from_promotion_ms"].as<double>(), -11);
}

TEST_F(ExplainTest, SaysThatThePeerCannotBeAsked) {
  Switch();
  agent_.ends["PeerEvents"] = {grpc::StatusCode::FAILED_PRECONDITION,
                               "node2 cannot be asked for its events: no answer"};
  const Outcome outcome = Ask({"explain"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("failover to node1"));
  EXPECT_THAT(outcome.out,
              HasSubstr("lacks        what the other node saw: node2 cannot be asked"));
}

TEST_F(ExplainTest, FailsWhereNothingChanged) {
  const Outcome outcome = Ask({"explain"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err, "zctl: no change of the master is in what the nodes remember\n");
}

TEST_F(ExplainTest, RefusesTwoChoices) {
  EXPECT_EQ(Ask({"explain", "--last", "2", "--term", "8"}).code, kUsage);
  EXPECT_EQ(Ask({"explain", "--term", "x"}).code, kUsage);
}

TEST_F(ExplainTest, CannotMisleadATerminal) {
  agent_.Happen(false, kNoon, "promoted", {{"term", "8"}, {"cause", "\x1b[2J"}});
  EXPECT_THAT(Ask({"explain"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(ExplainTest, ASwitchoverCarriesItsReason) {
  Ask({"switchover", "--reason", "new disk"});
  EXPECT_EQ(agent_.switchover.reason(), "new disk");
}

}  // namespace
}  // namespace zcluster::ctl
