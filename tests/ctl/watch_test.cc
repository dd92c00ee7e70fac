// SPDX-License-Identifier: Apache-2.0
// zctl watch, on a terminal and into a pipe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ctl/invoke.h"
#include "tests/ctl/piped.h"
#include "tests/ctl/screen.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class WatchTest : public CtlTest {
 protected:
  void SetUp() override {
    AddPair();
    agent_.Publish();
  }
  void Change() {
    agent_.status.mutable_nodes(1)->set_message("follows");
    agent_.Publish();
  }
  std::vector<std::string> Words(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--socket", agent_.socket(), "watch"});
    return more;
  }
};

TEST_F(WatchTest, RedrawsInPlaceOnATerminal) {
  Screen screen(Words());
  ASSERT_TRUE(screen.Shows("peer \"x\" is away"));
  Change();
  ASSERT_TRUE(screen.Shows("\x1b[H"));
  ASSERT_TRUE(screen.Shows("follows\x1b[K"));
  screen.Type("\x03");
  EXPECT_EQ(screen.Ends(), kOk);
}

TEST_F(WatchTest, SaysThatTheAgentWentAwayAndIsBack) {
  Screen screen(Words({"-o", "json"}));
  ASSERT_TRUE(screen.Shows("master since term 8"));
  agent_.End();
  ASSERT_TRUE(screen.Shows("zctl: the agent went away; waiting for it"));
  agent_.Begin();
  ASSERT_TRUE(screen.Shows("zctl: the agent is back"));
  ASSERT_TRUE(screen.Shows("master since term 8"));
  kill(screen.pid(), SIGTERM);
  EXPECT_EQ(screen.Ends(), kOk);
}

TEST_F(WatchTest, EndsWhileItWaitsForTheAgent) {
  Screen screen(Words({"-o", "json"}));
  ASSERT_TRUE(screen.Shows("master since term 8"));
  agent_.End();
  ASSERT_TRUE(screen.Shows("waiting for it"));
  screen.Type("\x03");
  EXPECT_EQ(screen.Ends(), kOk);
}

TEST_F(WatchTest, IsABlockForEachChangeInAPipe) {
  Piped watch(Words());
  const std::string first = watch.ReadTo("\n\n");
  EXPECT_THAT(first, MatchesRegex("20[-0-9: ]+ UTC\nNODE .*\nlocal .*\nremote .*is away\n\n"));
  EXPECT_THAT(first, Not(HasSubstr("\x1b")));
  Change();
  EXPECT_THAT(watch.ReadTo("\n\n"), HasSubstr("follows\n\n"));
  EXPECT_EQ(watch.Ends(SIGINT), kOk);
}

TEST_F(WatchTest, IsAnObjectALineAsJson) {
  Piped watch(Words({"-o", "json"}));
  const std::string first = watch.ReadTo("\n");
  EXPECT_THAT(first, MatchesRegex("\\{\"at\": \"20[-0-9:TZ]+\", \"nodes\": \\[.*\\]\\}\n"));
  Change();
  EXPECT_THAT(watch.ReadTo("\n"), HasSubstr("\"message\": \"follows\""));
  EXPECT_EQ(watch.Ends(SIGTERM), kOk);
}

TEST_F(WatchTest, IsADocumentForEachChangeAsYaml) {
  Piped watch(Words({"-o", "yaml"}));
  watch.ReadTo("is away\n");
  Change();
  EXPECT_THAT(watch.ReadTo("follows\n"), AllOf(HasSubstr("---\nat: "), HasSubstr("nodes:\n")));
  EXPECT_EQ(watch.Ends(SIGINT), kOk);
}

TEST_F(WatchTest, EndsWhenNobodyReadsAnyMore) {
  Piped watch(Words({"-o", "json"}));
  watch.ReadTo("\n");
  watch.StopReading();  // and nothing changes, so that nothing is written
  EXPECT_EQ(watch.Ends(), kOk);
}

TEST_F(WatchTest, EndsAfterItsTime) {
  const Outcome outcome = Invoke(Words({"--timeout", "300ms"}));
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("master since term 8"));
}

TEST_F(WatchTest, WithoutAnAgentIsUnreachable) {
  EXPECT_EQ(Invoke({"--socket", "/nonexistent/agent.sock", "watch"}).code, kUnreachable);
}

TEST_F(WatchTest, ARefusalEndsIt) {
  agent_.ends["Watch"] = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "no");
  const Outcome outcome = Invoke(Words());
  EXPECT_EQ(outcome.code, kNotPermitted);
  EXPECT_EQ(outcome.err, "zctl: no\n");
}

}  // namespace
}  // namespace zcluster::ctl
