// SPDX-License-Identifier: Apache-2.0
// A create whose agents die: either of them, killed at each step. Nothing is left on either node,
// and the next create succeeds; once the pair is decided, it stands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/lab/support/bare.h"

namespace zcluster::lab {
namespace {

// The last step that was told before the kill.
constexpr const char* kSteps[] = {"reached",
                                  "admitted",
                                  "clocks agree",
                                  "interfaces:",
                                  "made the CA",
                                  "of node1 and started",
                                  "of node2 and started",
                                  "the agents have met",
                                  "node1 is master",
                                  "GREEN, seen from both"};

struct Case {
  std::string victim;
  std::string step;
};

class CreateKilled : public BareScenario, public testing::WithParamInterface<Case> {
 protected:
  static void SetUpTestSuite() { RaiseBare("crkill"); }
};

TEST_P(CreateKilled, LeavesNothingOnEitherNode) {
  const auto& [victim, step] = GetParam();
  const NodeImage before1 = ImageOf("node1"), before2 = ImageOf("node2");
  const pid_t agent = AgentPid(victim);
  ASSERT_GT(agent, 0);
  bool killed = false;
  const Outcome created = Follow("node1", CreateArgv({"--vip", "10.10.0.100/24", "--token-stdin"}),
                                 Token() + "\n", [&, step = step](const std::string& line) {
                                   if (killed || !absl::StrContains(line, step)) return;
                                   killed = true;
                                   kill(agent, SIGKILL);
                                 });
  ASSERT_TRUE(killed) << "the step was never told:\n" << created.out;
  AwaitGone(agent);
  lab().MustRun({"agent", victim, "start"});
  const bool decided_perhaps = step == kSteps[9];
  if (decided_perhaps) {
    // The decision is one write away: whichever way it went, both nodes must agree on it.
    ASSERT_TRUE(
        WaitUntil(kLong, [] { return (IsBare("node1") && IsBare("node2")) || lab().Ready(); }))
        << created.out << lab().Explain();
    return;
  }
  EXPECT_NE(created.code, 0);
  ASSERT_TRUE(WaitUntil(kLong, [] { return IsBare("node1") && IsBare("node2"); }))
      << created.out << lab().Explain();
  EXPECT_TRUE(WaitUntil(kLong, [&] { return ImageOf("node1") == before1; }))
      << "before:\n"
      << before1 << "after:\n"
      << ImageOf("node1");
  EXPECT_TRUE(WaitUntil(kLong, [&] { return ImageOf("node2") == before2; }))
      << "before:\n"
      << before2 << "after:\n"
      << ImageOf("node2");
  EXPECT_EQ(lab().Holders(), "");
}

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (const char* victim : {"node1", "node2"}) {
    for (const char* step : kSteps) cases.push_back({victim, step});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(EachStep, CreateKilled, testing::ValuesIn(AllCases()),
                         [](const testing::TestParamInfo<Case>& tested) {
                           std::string name = tested.param.victim + "After";
                           for (char c : tested.param.step) {
                             if (isalnum(static_cast<unsigned char>(c))) name += c;
                           }
                           return name;
                         });

TEST_F(CreateKilled, AnAgentThatNeverDiesMakesItInTheEnd) { MustCreate(); }

}  // namespace
}  // namespace zcluster::lab
