// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/doorman.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/bootstrap/node.h"
#include "tests/agent/bootstrap/private_shadow.h"

// The password's way, with the real PAM. Tokens: token_book_test.cc and bootstrap_test.cc.
namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;

class DoormanTest : public NodeTest {
 protected:
  void SetUp() override {
    if (!HasPrivateShadow()) GTEST_SKIP() << "needs root, for an /etc/shadow of its own";
  }
};

TEST_F(DoormanTest, LetsInByRootsPassword) {
  const auto reply = JoinByPassword(RootsPassword());
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->has_admitted());
}

TEST_F(DoormanTest, HoldsBackTheAnswerToAWrongPassword) {
  const absl::Time before = Loop::Now();
  const auto reply = JoinByPassword("wrong");
  EXPECT_GE(Loop::Now() - before, absl::Seconds(2));
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(reply.status().message(), HasSubstr("password is wrong"));
  EXPECT_THAT(reply.status().message(), HasSubstr("tries left: 4"));
}

TEST_F(DoormanTest, ARightPasswordForgivesTheWrongOnes) {
  EXPECT_THAT(JoinByPassword("wrong").status().message(), HasSubstr("tries left: 4"));
  ASSERT_TRUE(JoinByPassword(RootsPassword()).ok());
  ASSERT_TRUE(node_->handler().WaitForEnd(1));
  EXPECT_THAT(JoinByPassword("wrong").status().message(), HasSubstr("tries left: 4"));
}

TEST_F(DoormanTest, LocksAfterFiveWrongPasswordsUntilUnlocked) {
  for (int i = 4; i > 0; --i) {
    EXPECT_THAT(JoinByPassword("wrong").status().message(),
                HasSubstr(absl::StrCat("tries left: ", i)));
    if (i == 3) node_->Restart();
  }
  EXPECT_THAT(JoinByPassword("wrong").status().message(), HasSubstr("zctl node unlock"));
  const absl::Status locked = absl::ResourceExhaustedError(
      "locked after five wrong passwords; on that node: zctl node "
      "unlock");
  EXPECT_EQ(JoinByPassword(RootsPassword()).status(), locked);
  node_->Restart();
  EXPECT_EQ(JoinByPassword(RootsPassword()).status(), locked);
  EXPECT_TRUE(JoinByToken(node_->Token()).ok()) << "a token is no password";
  ASSERT_TRUE(node_->handler().WaitForEnd(1));
  node_->Do([](Bootstrap& bootstrap) { EXPECT_EQ(bootstrap.Unlock(), absl::OkStatus()); });
  EXPECT_TRUE(JoinByPassword(RootsPassword()).ok());
}

TEST_F(DoormanTest, ChecksOnePasswordAtATimeWhoeverLeaves) {
  const auto first = Call();
  // Gone before its answer: what it asked is not forgotten.
  EXPECT_EQ(first->Admit("", "wrong", absl::Seconds(1)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  first->Leave();
  const auto second = JoinByPassword(RootsPassword());
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr("checking another password"));
}

TEST_F(DoormanTest, CountsATryWhoseCallerLeft) {
  const auto first = Call();
  EXPECT_FALSE(first->Admit("", "wrong", absl::Seconds(1)).ok());
  first->Leave();
  node_->Restart();
  EXPECT_THAT(JoinByPassword("wrong").status().message(), HasSubstr("tries left: 3"));
}

TEST_F(DoormanTest, TakesNoPasswordWhereItIsTurnedOff) {
  Node node(directory_.path() + "/other", /*password=*/false);
  Caller caller(node.thread(), {node.address(), node.Fingerprint()});
  const auto reply = caller.Admit("", RootsPassword());
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(reply.status().message(), HasSubstr("takes no password"));
}

TEST_F(DoormanTest, LetsNobodyInWhereRootHasNoPassword) {
  const NoRootPassword none;
  EXPECT_EQ(JoinByPassword("x").status().code(), absl::StatusCode::kUnauthenticated);
}

}  // namespace
}  // namespace zcluster::bootstrap
