// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/file.h"
#include "common/pki.h"
#include "tests/agent/bootstrap/node.h"

namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class BootstrapTest : public NodeTest {};

v1::JoinReply Facts(const std::string& name) {
  v1::JoinReply reply;
  reply.mutable_facts()->set_name(name);
  return reply;
}

TEST_F(BootstrapTest, KeepsItsKeyOverARestart) {
  const std::string fingerprint = node_->Fingerprint();
  EXPECT_TRUE(pki::IsFingerprint(fingerprint)) << fingerprint;
  node_->Restart();
  EXPECT_EQ(node_->Fingerprint(), fingerprint);
}

TEST_F(BootstrapTest, IsJoinedByAToken) {
  const auto reply = JoinByToken(node_->Token());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->has_admitted());
  EXPECT_EQ(node_->handler().address(), "127.0.0.1");
  EXPECT_TRUE(node_->handler().WaitForEnd(1));
}

TEST_F(BootstrapTest, TakesATokenThatWasMadeBeforeARestart) {
  const std::string token = node_->Token();
  node_->Restart();
  EXPECT_TRUE(JoinByToken(token).ok());
}

TEST_F(BootstrapTest, TellsWhyATokenIsNotGoodAnyMore) {
  const std::string token = node_->Token();
  ASSERT_TRUE(JoinByToken(token).ok());
  ASSERT_TRUE(node_->handler().WaitForEnd(1));
  const auto reply = JoinByToken(token);
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(reply.status().message(), HasSubstr("used already"));
}

TEST_F(BootstrapTest, SaysWhichLifetimesATokenCanHave) {
  EXPECT_THAT(node_->Token(absl::Seconds(9)), HasSubstr("use 10s to 24h"));
  EXPECT_THAT(node_->Token(absl::Hours(25)), HasSubstr("use 10s to 24h"));
  EXPECT_TRUE(ParseToken(node_->Token(absl::Seconds(10))).ok());
}

TEST_F(BootstrapTest, CarriesMessagesOneByOne) {
  const auto caller = Call();
  ASSERT_TRUE(caller->Admit(ParseToken(node_->Token())->secret, "").ok());
  for (const std::string name : {"first", "second", "third"}) {
    node_->handler().AnswerWith(Facts(name));
    const auto reply = caller->Ask(AskAbout(name));
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_EQ(reply->facts().name(), name);
  }
  ASSERT_THAT(node_->handler().carried(), SizeIs(3));
  EXPECT_EQ(node_->handler().carried()[2].ask().address(), "third");
  EXPECT_EQ(node_->handler().ended(), 0);
}

TEST_F(BootstrapTest, CarriesAnAnswerThatComesLater) {
  const auto caller = Call();
  ASSERT_TRUE(caller->Admit(ParseToken(node_->Token())->secret, "").ok());
  node_->handler().Owe();
  caller->Mention(AskAbout("10.0.0.1"));
  ASSERT_TRUE(node_->handler().WaitForMessage(1));
  node_->Do([&](Bootstrap&) { node_->handler().Pay(absl::AbortedError("not today")); });
  EXPECT_TRUE(node_->handler().WaitForEnd(1));
}

TEST_F(BootstrapTest, EndsTheJoinWithTheHandlersError) {
  const auto caller = Call();
  ASSERT_TRUE(caller->Admit(ParseToken(node_->Token())->secret, "").ok());
  node_->handler().AnswerWith(absl::FailedPreconditionError("keepalived is missing"));
  const auto reply = caller->Ask(AskAbout("10.0.0.1"));
  EXPECT_EQ(reply.status(), absl::FailedPreconditionError("keepalived is missing"));
  EXPECT_TRUE(node_->handler().WaitForEnd(1));
  EXPECT_EQ(caller->Ask(AskAbout("10.0.0.1")).status(), reply.status());
}

TEST_F(BootstrapTest, DoesNotBeginWhatTheHandlerRefuses) {
  node_->handler().RefuseToBegin(absl::FailedPreconditionError("already in a pair"));
  const auto reply = JoinByToken(node_->Token());
  EXPECT_EQ(reply.status(), absl::FailedPreconditionError("already in a pair"));
  EXPECT_EQ(node_->handler().ended(), 0);
}

TEST_F(BootstrapTest, AdmitsOneAtATimeAndSparesTheOthersToken) {
  const auto caller = Call();
  ASSERT_TRUE(caller->Admit(ParseToken(node_->Token())->secret, "").ok());
  const std::string token = node_->Token();
  const auto second = JoinByToken(token);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().message(), HasSubstr("another join of that node is under way"));
  caller->Leave();
  ASSERT_TRUE(node_->handler().WaitForEnd(1));
  EXPECT_TRUE(JoinByToken(token).ok());
}

TEST_F(BootstrapTest, LetsTheJoinUnderWayGoOnWhenItCloses) {
  const auto caller = Call();
  ASSERT_TRUE(caller->Admit(ParseToken(node_->Token())->secret, "").ok());
  node_->handler().AnswerWith(Facts("first"));
  node_->Do([](Bootstrap& bootstrap) { bootstrap.Close(); });
  EXPECT_TRUE(caller->Ask(AskAbout("10.0.0.1")).ok());
  EXPECT_TRUE(caller->Ask(AskAbout("10.0.0.1")).ok());
  EXPECT_EQ(node_->handler().ended(), 0);
  caller->Leave();
  EXPECT_TRUE(node_->handler().WaitForEnd(1));
}

TEST_F(BootstrapTest, OpensAgainAtOnceOnTheSamePort) {
  // A port of the kernel's choice, kept.
  const int port = node_->port();
  LoopThread thread;
  Recorder handler;
  std::unique_ptr<Bootstrap> bootstrap;
  node_.reset();
  thread.Do([&] {
    auto made = Bootstrap::Make(thread.loop(),
                                {.listen = absl::StrCat("127.0.0.1:", port),
                                 .state_dir = directory_.path() + "/other",
                                 .version = "1"},
                                handler);
    ASSERT_TRUE(made.ok()) << made.status();
    bootstrap = *std::move(made);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(bootstrap->Open(), absl::OkStatus());
      EXPECT_EQ(bootstrap->port(), port);
      bootstrap->Close();
      EXPECT_EQ(bootstrap->port(), 0);
    }
    bootstrap.reset();
  });
}

TEST_F(BootstrapTest, NamesAPortThatIsTaken) {
  const std::string address = node_->address();
  Recorder handler;
  node_->thread().Do([&] {
    auto made = Bootstrap::Make(
        node_->loop(),
        {.listen = address, .state_dir = directory_.path() + "/other", .version = "1"}, handler);
    ASSERT_TRUE(made.ok());
    EXPECT_THAT((*made)->Open().message(),
                HasSubstr("cannot listen on " + address + ": Address already in use"));
  });
}

TEST_F(BootstrapTest, EndsTheJoinWhenItIsDestroyed) {
  const auto caller = Call();
  ASSERT_TRUE(caller->Admit(ParseToken(node_->Token())->secret, "").ok());
  node_->Restart();
  EXPECT_EQ(node_->handler().ended(), 1);
  EXPECT_EQ(caller->Ask(AskAbout("10.0.0.1")).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace zcluster::bootstrap
