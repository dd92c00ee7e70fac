// SPDX-License-Identifier: Apache-2.0
// zctl events: what happened on both nodes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "tests/ctl/invoke.h"
#include "tests/ctl/screen.h"

namespace zcluster::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// 2026-02-01 12:00:00 UTC.
constexpr int64_t kNoon = 1769947200000;

class EventsTest : public CtlTest {
 protected:
  // As a program reads them.
  std::vector<std::string> Names(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"events", "-o", "json"});
    const Outcome outcome = Ask(words);
    EXPECT_EQ(outcome.code, kOk) << outcome.err;
    std::vector<std::string> names;
    for (const auto& event : YAML::Load(outcome.out)["events"])
      names.push_back(event["name"].as<std::string>());
    return names;
  }
};

TEST_F(EventsTest, AreOfBothNodesInOneLineEach) {
  agent_.Happen(false, kNoon + 2, "promoted", {{"term", "8"}, {"cause", "no advert"}});
  agent_.Happen(true, kNoon + 1, "demoted");
  const Outcome outcome = Ask({"events"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out,
            "2026-02-01 12:00:00.001 UTC  node2  demoted\n"
            "2026-02-01 12:00:00.002 UTC  node1  promoted  term=8 cause=\"no advert\"\n");
}

// Else an effect would be shown before its cause.
TEST_F(EventsTest, AreInOrderThoughTheClocksDiffer) {
  agent_.peer_ahead_ms = 5000;
  agent_.Happen(false, kNoon, "first");
  agent_.Happen(true, kNoon + 5001, "second");
  agent_.Happen(false, kNoon + 2, "third");
  EXPECT_THAT(Names(), ElementsAre("first", "second", "third"));
  const Outcome outcome = Ask({"events", "-o", "json"});
  EXPECT_THAT(outcome.out, HasSubstr("\"clock_ahead_ms\": 5000"));
  EXPECT_THAT(outcome.out, HasSubstr("\"clock_uncertainty_ms\": 0.25"));
}

TEST_F(EventsTest, AreTheNewestOfBoth) {
  for (int i = 0; i < 600; ++i) {
    agent_.Happen(i % 2 == 0, kNoon + i, "e" + std::to_string(i));
  }
  EXPECT_THAT(Names({"--limit", "3"}), ElementsAre("e597", "e598", "e599"));
  EXPECT_EQ(Names().size(), 100u);
}

TEST_F(EventsTest, BeginAtAMomentPageByPage) {
  for (int i = 0; i < 600; ++i) agent_.Happen(false, kNoon + i, "e" + std::to_string(i));
  const std::vector<std::string> names = Names({"--since", "2026-02-01 12:00:00.040"});
  ASSERT_EQ(names.size(), 560u);
  EXPECT_EQ(names.front(), "e40");
  EXPECT_EQ(names.back(), "e599");
}

TEST_F(EventsTest, OfAPeerThatIsAwayAreMissedAloud) {
  agent_.ends["PeerEvents"] = {grpc::StatusCode::FAILED_PRECONDITION,
                               "node2 cannot be asked for its events: it is away"};
  agent_.Happen(false, kNoon, "promoted");
  const Outcome outcome = Ask({"events"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_THAT(outcome.out, HasSubstr("node1  promoted"));
  EXPECT_EQ(outcome.err, "zctl: node2 cannot be asked for its events: it is away\n");
}

TEST_F(EventsTest, CannotMisleadATerminal) {
  agent_.Happen(true, kNoon, "odd\x1b[2J", {{"cause", "\x1b]0;x"}});
  EXPECT_THAT(Ask({"events"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(EventsTest, RefusesWhatIsNoTime) {
  const Outcome outcome = Ask({"events", "--since", "yesterday"});
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--since: 'yesterday' is neither a time"));
}

TEST_F(EventsTest, AreFollowedOverARestartOfTheAgent) {
  agent_.Happen(false, kNoon, "first");
  Screen screen({"--socket", agent_.socket(), "events", "--follow"});
  ASSERT_TRUE(screen.Shows("node1  first"));
  agent_.Happen(true, kNoon + 1, "second");
  ASSERT_TRUE(screen.Shows("node2  second"));
  agent_.End();
  ASSERT_TRUE(screen.Shows("the agent went away"));
  agent_.Happen(false, kNoon + 2, "third");
  agent_.Begin();
  ASSERT_TRUE(screen.Shows("node1  third"));
  screen.Type("\x03");
  EXPECT_EQ(screen.Ends(), kOk);
}

}  // namespace
}  // namespace zcluster::ctl
