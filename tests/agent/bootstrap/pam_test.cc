// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/pam.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/bootstrap/private_shadow.h"

namespace zcluster::bootstrap {
namespace {

// Of a service without a file of its own, so that PAM takes `other`.
absl::StatusCode Ask(const std::string& password) {
  return AskPam("zcluster-test", "127.0.0.1", password).status.code();
}

class PamTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!HasPrivateShadow()) GTEST_SKIP() << "needs root, for an /etc/shadow of its own";
  }
};

TEST_F(PamTest, KnowsRootsPassword) { EXPECT_EQ(Ask(RootsPassword()), absl::StatusCode::kOk); }

TEST_F(PamTest, RefusesAnyOther) {
  for (const std::string& wrong :
       {std::string("wrong"), RootsPassword() + "x", RootsPassword() + '\0' + "x",
        RootsPassword().substr(1), std::string(10'000, 'x')}) {
    EXPECT_EQ(Ask(wrong), absl::StatusCode::kPermissionDenied);
  }
}

TEST_F(PamTest, HoldsBackAWrongAnswerWithoutSleeping) {
  EXPECT_GT(AskPam("zcluster-test", "127.0.0.1", "wrong").delay, absl::ZeroDuration());
}

TEST_F(PamTest, NeverTakesAnEmptyPassword) {
  EXPECT_EQ(Ask(""), absl::StatusCode::kPermissionDenied);
}

TEST_F(PamTest, LetsNobodyInWhereRootHasNoPassword) {
  const NoRootPassword none;
  EXPECT_NE(Ask("x"), absl::StatusCode::kOk);
  EXPECT_NE(Ask(RootsPassword()), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace zcluster::bootstrap
