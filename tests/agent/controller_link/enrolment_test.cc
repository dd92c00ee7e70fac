// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/enrolment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/identity.h"
#include "common/pki.h"
#include "common/token.h"
#include "tests/agent/controller_link/node.h"

namespace zcluster::controller_link {
namespace {

using testing::HasSubstr;

class EnrolmentTest : public testing::Test {
 protected:
  grpc::Status Refuse(grpc::StatusCode code, const std::string& why) { return {code, why}; }
  void RefuseAll(grpc::StatusCode code, const std::string& why) {
    fleet_.SetTwist([code, why](const v1::EnrolRequest&, v1::EnrolResponse&) {
      return grpc::Status(code, why);
    });
  }
  // Tries at the controller do not go on.
  void ExpectNoMoreTries() {
    const int tries = fleet_.enrol_calls();
    const absl::Time since = absl::Now();
    node_.Await([&](const v1::ControllerState&) {
      return fleet_.enrol_calls() > tries || absl::Now() - since > absl::Seconds(5);
    });
    EXPECT_EQ(fleet_.enrol_calls(), tries);
  }

  Fleet fleet_;
  Node node_{fleet_};
};

TEST_F(EnrolmentTest, ATokenLetsTheNodeInAndTheStreamFollows) {
  node_.WriteToken(fleet_.Token());
  node_.Start();
  const auto stream = fleet_.AwaitStream();
  ASSERT_NE(stream, nullptr) << node_.State().ShortDebugString();
  EXPECT_EQ(stream->peer_uri(), "zcluster://fleet/agent/lab/lb1");
  stream->Welcome();
  const v1::ControllerState state = node_.AwaitConnected();
  EXPECT_TRUE(state.connected());
  EXPECT_EQ(state.fleet(), "fleet");
  EXPECT_EQ(state.pair(), "lab");
  EXPECT_EQ(state.address(), fleet_.address());
  EXPECT_EQ(state.problem(), "");
  const auto own = identity::Load(node_.identity_dir());
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ(own->ca, fleet_.ca());
  EXPECT_EQ(own->ca_key, "");
}

TEST_F(EnrolmentTest, KeyTokenAndConnectionAreOne) {
  node_.WriteToken(fleet_.Token());
  node_.Start();
  ASSERT_NE(fleet_.AwaitStream(), nullptr);
  const v1::EnrolRequest said = fleet_.last_request();
  // The fleet has checked the proof against this connection's keys; here: that another would not
  // do.
  EXPECT_EQ(*pki::RequestFingerprint(said.request()), fleet_.last_key());
  EXPECT_EQ(pki::VerifyText(said.pair_certificate(), token::MemberText(said.token_proof()),
                            said.pair_signature()),
            absl::OkStatus());
  EXPECT_EQ(*pki::KeyFingerprint(identity::Load(node_.identity_dir())->key), fleet_.last_key());
  EXPECT_EQ(said.pair(), "lab");
  EXPECT_EQ(said.node(), "lb1");
  EXPECT_FALSE(said.pair_ca().empty());
}

TEST_F(EnrolmentTest, WithoutATokenItSaysWhereToPutOne) {
  node_.Start();
  EXPECT_EQ(
      node_.AwaitProblem("not enrolled").problem(),
      absl::StrCat("not enrolled: put the token of `zctl fleet token` into ", node_.token_file()));
  node_.WriteToken(fleet_.Token());
  EXPECT_NE(fleet_.AwaitStream(), nullptr) << "a token that comes later is taken up";
}

TEST_F(EnrolmentTest, ATokenThatOthersMayReadIsNotUsed) {
  node_.WriteToken(fleet_.Token(), 0644);
  node_.Start();
  EXPECT_THAT(node_.AwaitProblem("others than root").problem(), HasSubstr("make a new token"));
  EXPECT_EQ(fleet_.enrol_calls(), 0);
}

TEST_F(EnrolmentTest, AWrongTokenIsTriedOnce) {
  node_.WriteToken(fleet_.WrongToken());
  node_.Start();
  EXPECT_THAT(node_.AwaitProblem("controller says").problem(),
              HasSubstr("the token is wrong, or of another session; put a new token"));
  ExpectNoMoreTries();
  node_.WriteToken(fleet_.Token());
  EXPECT_NE(fleet_.AwaitStream(), nullptr);
}

TEST_F(EnrolmentTest, UsedAndExpiredTokensEndInTheControllersWords) {
  for (const char* words : {"the token was used already", "the token expired on 2026-01-01"}) {
    RefuseAll(grpc::StatusCode::UNAUTHENTICATED, words);
    node_.WriteToken(fleet_.Token());
    node_.Start();
    EXPECT_THAT(node_.AwaitProblem(words).problem(), HasSubstr("not enrolled"));
    node_.Stop();
  }
  EXPECT_EQ(fleet_.enrol_calls(), 2);
}

TEST_F(EnrolmentTest, ATokenOfAnotherControllerIsToldToNobody) {
  Fleet other;
  node_.WriteToken(other.Token());
  node_.Start();
  EXPECT_THAT(node_.AwaitProblem("it has the key").problem(), HasSubstr("nothing was told"));
  EXPECT_EQ(fleet_.enrol_calls(), 0);
}

TEST_F(EnrolmentTest, WhatIsNoTokenIsNotTried) {
  node_.WriteToken("zc1.something");
  node_.Start();
  EXPECT_THAT(node_.AwaitProblem("is no token").problem(),
              testing::Not(HasSubstr("zc1.something")));
  EXPECT_EQ(fleet_.enrol_calls(), 0);
}

TEST_F(EnrolmentTest, WhatMayPassIsTriedAgain) {
  RefuseAll(grpc::StatusCode::UNAVAILABLE, "the disk is full");
  node_.WriteToken(fleet_.Token());
  node_.Start();
  EXPECT_THAT(node_.AwaitProblem("the disk is full").problem(), HasSubstr("not enrolled yet"));
  fleet_.SetTwist(nullptr);
  EXPECT_NE(fleet_.AwaitStream(), nullptr);
}

TEST_F(EnrolmentTest, AddressesAreTriedInOrder) {
  node_.options.enrolment = {"127.0.0.1:1", fleet_.enrolment()};
  node_.WriteToken(fleet_.Token());
  node_.Start();
  EXPECT_NE(fleet_.AwaitStream(), nullptr);
}

TEST_F(EnrolmentTest, NobodyThereIsAProblemThatNamesTheAddress) {
  node_.options.enrolment = {"127.0.0.1:1"};
  node_.WriteToken(fleet_.Token());
  node_.Start();
  EXPECT_THAT(node_.AwaitProblem("refused").problem(),
              HasSubstr("not enrolled yet: connection refused by 127.0.0.1:1"));
}

TEST_F(EnrolmentTest, ACertificateForSomebodyElseIsNotInstalled) {
  fleet_.SetTwist([this](const v1::EnrolRequest& request, v1::EnrolResponse& response) {
    response.set_certificate(
        fleet_.Sign(request.request(), "zcluster://fleet/agent/lab/lb2", absl::Hours(1)));
    return grpc::Status::OK;
  });
  node_.WriteToken(fleet_.Token());
  node_.Start();
  EXPECT_THAT(node_.AwaitProblem("is for the node lb2").problem(), HasSubstr("the token is used"));
  EXPECT_TRUE(absl::IsNotFound(identity::Load(node_.identity_dir()).status()));
}

TEST_F(EnrolmentTest, ACopiedCertificateOfThePairIsOfNoUse) {
  node_.options.pair_files = node_.Stranger();
  node_.WriteToken(fleet_.Token());
  node_.Start();
  node_.AwaitProblem("does not prove to be of its pair");
  EXPECT_THAT(node_.State().problem(), HasSubstr("does not prove to be of its pair"));
}

TEST_F(EnrolmentTest, AForgottenNodeEnrolsAnewWithANewToken) {
  node_.Enrolled();
  fleet_.Refuse({grpc::StatusCode::PERMISSION_DENIED, "lab/lb1 was forgotten"});
  node_.Start();
  EXPECT_THAT(node_.AwaitProblem("forgotten").problem(),
              HasSubstr("to enrol it anew put a new token"));
  EXPECT_EQ(fleet_.streams(), 1);
  fleet_.Refuse(grpc::Status::OK);
  node_.WriteToken(fleet_.Token());
  EXPECT_NE(fleet_.AwaitStream(), nullptr);
  EXPECT_EQ(fleet_.enrol_calls(), 1);
}

TEST_F(EnrolmentTest, AnExpiredIdentityIsSaidAndEnrolsAnew) {
  node_.Enrolled(absl::Seconds(1));
  node_.loop.Do([] {});
  const absl::Time since = absl::Now();
  node_.WriteToken(fleet_.Token(), 0644);  // not yet
  node_.Await([&](const v1::ControllerState&) { return absl::Now() - since > absl::Seconds(2); });
  node_.Start();
  node_.AwaitProblem("expired");
  EXPECT_THAT(node_.State().problem(), HasSubstr("expired"));
  EXPECT_EQ(fleet_.streams(), 0);
  node_.WriteToken(fleet_.Token());
  EXPECT_NE(fleet_.AwaitStream(), nullptr);
}

}  // namespace
}  // namespace zcluster::controller_link
