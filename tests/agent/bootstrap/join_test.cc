// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "agent/bootstrap/bootstrap.h"
#include "common/credential.h"
#include "tests/agent/bootstrap/node.h"

namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;

class JoinTest : public NodeTest {
 protected:
  absl::Status Try(const std::string& address, const std::string& fingerprint) {
    Caller caller(node_->thread(), {address, fingerprint});
    return caller.Admit("a secret of 20 bytes", "").status();
  }
};

TEST_F(JoinTest, SaysThatNobodyListens) {
  const std::string address = node_->address();
  const std::string fingerprint = node_->Fingerprint();
  node_.reset();
  LoopThread thread;
  Caller caller(thread, {address, fingerprint});
  const absl::Status status = caller.Admit("a secret of 20 bytes", "").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("connection refused by " + address));
  EXPECT_THAT(status.message(), HasSubstr("a node in a pair takes no joins"));
}

TEST_F(JoinTest, NamesBothFingerprintsIfTheyDiffer) {
  const std::string other = tls::MakeCredential()->fingerprint;
  const absl::Status status = Try(node_->address(), other);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(status.message(),
              HasSubstr(absl::StrCat(node_->address(), " has the key ", node_->Fingerprint(),
                                     ", expected ", other)));
  EXPECT_EQ(node_->handler().begun(), 0);
}

TEST_F(JoinTest, NamesAnAddressThatIsNone) {
  const absl::Status status = Try("nowhere", node_->Fingerprint());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("nowhere is no address"));
}

TEST_F(JoinTest, GivesUpAnAnswerThatDoesNotCome) {
  const auto caller = Call();
  ASSERT_TRUE(caller->Admit(ParseToken(node_->Token())->secret, "").ok());
  node_->handler().Owe();
  const auto reply = caller->Ask(AskAbout("10.0.0.1"), absl::Milliseconds(300));
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(reply.status().message(), HasSubstr("no answer from " + node_->address()));
  EXPECT_TRUE(node_->handler().WaitForEnd(1));
}

TEST_F(JoinTest, TellsThatTheNodeHasGone) {
  const auto caller = Call();
  ASSERT_TRUE(caller->Admit(ParseToken(node_->Token())->secret, "").ok());
  node_->Do([](Bootstrap& bootstrap) { bootstrap.Close(); });
  node_->Restart();
  EXPECT_EQ(caller->Ask(AskAbout("10.0.0.1")).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(JoinTest, AsksNothingBeforeItIsAdmitted) {
  EXPECT_EQ(Call()->Ask(AskAbout("10.0.0.1")).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(JoinTest, MayBeDestroyedAtAnyTime) {
  const std::string secret = ParseToken(node_->Token())->secret;
  const Join::To to{node_->address(), node_->Fingerprint()};
  node_->thread().Do([&] {
    for (int i = 0; i < 20; ++i) {
      const auto join = Join::Dial(node_->loop(), to);
      if (i % 2 == 0) {
        join->Admit("a wrong secret", "", kSoon, [](const auto&) { ADD_FAILURE() << "answered"; });
      }
    }
  });
}

TEST_F(JoinTest, MayBeDestroyedByItsAnswer) {
  std::unique_ptr<Join> join;
  absl::Notification answered;
  const Join::To to{node_->address(), node_->Fingerprint()};
  node_->thread().Do([&] {
    join = Join::Dial(node_->loop(), to);
    join->Admit("a wrong secret", "", kSoon, [&](const auto&) {
      join.reset();
      answered.Notify();
    });
  });
  EXPECT_TRUE(answered.WaitForNotificationWithTimeout(kSoon));
}

}  // namespace
}  // namespace zcluster::bootstrap
