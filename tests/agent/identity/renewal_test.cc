// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/identity/identity.h"
#include "common/file.h"
#include "tests/agent/identity/node.h"

namespace zcluster::identity {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr absl::Duration kDay = absl::Hours(24);
constexpr absl::Duration kLifetime = absl::Hours(24 * 90);

class RenewalTest : public testing::Test {
 protected:
  // Gives the node an identity whose certificate began and ends at these times from now.
  void Give(absl::Duration from, absl::Duration to) {
    first_ = node_.Make(ca_, kLifetime);
    first_.certificate = test::Redated(first_.certificate, ca_.key, from, to);
    node_.Install(first_);
  }

  PairCa ca_;
  Node node_{"a"};
  Identity first_;
};

TEST_F(RenewalTest, BeforeTwoThirdsOfItsTimeNothingHappens) {
  Give(-59 * kDay - pki::kBackdated, 31 * kDay);
  node_.StartRenewal(kLifetime);
  EXPECT_EQ(node_.version(), 1);
  EXPECT_THAT(node_.problems.All(), IsEmpty());
}

TEST_F(RenewalTest, AfterTwoThirdsOfItsTimeThereIsANewCertificateWithANewKey) {
  Give(-61 * kDay - pki::kBackdated, 29 * kDay);
  node_.StartRenewal(kLifetime);
  EXPECT_EQ(node_.version(), 2);
  EXPECT_EQ(node_.Check(ca_.certificate), absl::OkStatus());
  const Identity renewed = *Load(node_.directory);
  EXPECT_NE(*pki::KeyFingerprint(renewed.key), *pki::KeyFingerprint(first_.key));
  EXPECT_EQ(renewed.ca, first_.ca);
  EXPECT_EQ(renewed.ca_key, first_.ca_key);
  EXPECT_GT(*node_.renewal().Expires(), absl::Now() + 89 * kDay);
  EXPECT_THAT(node_.problems.All(), IsEmpty());
}

TEST_F(RenewalTest, ANodeThatWasOffForLongComesBackWithAGoodCertificate) {
  Give(-200 * kDay, -100 * kDay);
  node_.StartRenewal(kLifetime);
  EXPECT_EQ(node_.Check(ca_.certificate), absl::OkStatus());
  EXPECT_THAT(node_.problems.All(), IsEmpty());
}

TEST_F(RenewalTest, WhatWasMadeWhileTheClockWasAheadIsReplaced) {
  Give(300 * kDay, 390 * kDay);
  node_.StartRenewal(kLifetime);
  EXPECT_EQ(node_.Check(ca_.certificate), absl::OkStatus());
}

TEST_F(RenewalTest, ALifetimeOfSecondsIsRenewedAgainAndAgain) {
  node_.Install(node_.Make(ca_, absl::Seconds(3)));
  node_.StartRenewal(absl::Seconds(3));
  EXPECT_TRUE(WaitUntil([&] { return node_.version() >= 4; })) << node_.version();
  EXPECT_FALSE(std::filesystem::exists(node_.directory + "/v1"));
  EXPECT_THAT(node_.problems.All(), IsEmpty());
}

TEST_F(RenewalTest, ACaWithATenthOfItsTimeLeftIsRenewedWithItsKeyAndTheCertificateStays) {
  Give(-kDay, 89 * kDay);
  Identity old = first_;
  old.ca = test::Redated(ca_.certificate, ca_.key, -91 * kDay, 9 * kDay);
  node_.Install(old);
  node_.StartRenewal(kLifetime);
  const Identity renewed = *Load(node_.directory);
  EXPECT_GT(pki::ValidityOf(renewed.ca)->to, absl::Now() + 3600 * kDay);
  EXPECT_EQ(renewed.certificate, first_.certificate);
  EXPECT_EQ(renewed.key, first_.key);
  EXPECT_EQ(node_.Check(old.ca), absl::OkStatus());
  EXPECT_EQ(node_.Check(renewed.ca), absl::OkStatus());
}

TEST_F(RenewalTest, ACaWithMoreThanATenthOfItsTimeLeftStays) {
  Give(-kDay, 89 * kDay);
  first_.ca = test::Redated(ca_.certificate, ca_.key, -89 * kDay, 11 * kDay);
  node_.Install(first_);
  node_.StartRenewal(kLifetime);
  EXPECT_EQ(Load(node_.directory)->ca, first_.ca);
}

TEST_F(RenewalTest, WithoutTheKeyOfTheCaItSaysSoUntilTheKeyIsThere) {
  Give(-61 * kDay, 29 * kDay);
  const std::string key = node_.directory + "/v1/ca.key";
  std::filesystem::remove(key);
  node_.StartRenewal(kLifetime);
  EXPECT_THAT(node_.problems.All(),
              ElementsAre(AllOf(HasSubstr("this node's certificate, which ends on 20"),
                                HasSubstr("cannot be renewed"), HasSubstr("current/ca.key"),
                                HasSubstr("copy it from the peer"), Not(HasSubstr("PRIVATE")))));
  ASSERT_EQ(WriteFileDurably(key, ca_.key, 0600), absl::OkStatus());
  EXPECT_EQ(node_.problems.Wait(2), "");
  EXPECT_EQ(node_.Check(ca_.certificate), absl::OkStatus());
}

TEST_F(RenewalTest, TheKeyOfAnotherCaSignsNothing) {
  Give(-61 * kDay, 29 * kDay);
  first_.ca_key = PairCa().key;
  node_.Install(first_);
  node_.StartRenewal(kLifetime);
  EXPECT_THAT(node_.problems.All(), ElementsAre(HasSubstr("the CA's key does not belong")));
  EXPECT_EQ(Load(node_.directory)->certificate, first_.certificate);
}

TEST_F(RenewalTest, AProblemIsToldOnce) {
  Give(-61 * kDay, 29 * kDay);
  std::filesystem::remove(node_.directory + "/v1/ca.key");
  node_.StartRenewal(kLifetime);
  // Looks at the same again, as the timer would.
  node_.OnLoop([&] { ASSERT_EQ(node_.renewal().Start(node_.problems), absl::OkStatus()); });
  EXPECT_EQ(node_.problems.All().size(), 1u);
}

TEST_F(RenewalTest, WhatSomebodyElseRenewsIsOnlyWatched) {
  Give(-76 * kDay - pki::kBackdated, 14 * kDay);
  node_.StartRenewal(kLifetime, /*self=*/false);
  EXPECT_EQ(node_.version(), 1);
  EXPECT_THAT(node_.problems.All(),
              ElementsAre(AllOf(HasSubstr("this node's certificate /"), HasSubstr(" expires on 20"),
                                HasSubstr("put a new one in its place"))));
}

TEST_F(RenewalTest, WhatSomebodyElseRenewsMayHaveASixthOfItsTimeLeft) {
  Give(-74 * kDay - pki::kBackdated, 16 * kDay);
  node_.StartRenewal(kLifetime, /*self=*/false);
  EXPECT_THAT(node_.problems.All(), IsEmpty());
}

TEST_F(RenewalTest, WhenSomebodyElseHasRenewedTheProblemIsOver) {
  // Of half a minute, so that it looks each second; four seconds are left.
  Give(-pki::kBackdated - absl::Seconds(26), absl::Seconds(4));
  node_.StartRenewal(kLifetime, /*self=*/false);
  EXPECT_THAT(node_.problems.Wait(1), HasSubstr(" expires on 20"));
  EXPECT_THAT(node_.problems.Wait(2), HasSubstr(" expired on 20"));
  node_.Install(node_.Make(ca_, kLifetime));
  EXPECT_EQ(node_.problems.Wait(3), "");
}

TEST_F(RenewalTest, ACaThatEndsSoonIsToldAsWell) {
  Give(-kDay, 89 * kDay);
  first_.ca = test::Redated(ca_.certificate, ca_.key, -91 * kDay, 9 * kDay);
  node_.Install(first_);
  node_.StartRenewal(kLifetime, /*self=*/false);
  EXPECT_THAT(node_.problems.All(),
              ElementsAre(AllOf(HasSubstr("the pair's CA /"), HasSubstr(" expires on 20"))));
}

TEST_F(RenewalTest, AClockThatIsBehindIsToldWhenItIsNotOursToRenew) {
  Give(2 * kDay, 90 * kDay);
  node_.StartRenewal(kLifetime, /*self=*/false);
  EXPECT_THAT(node_.problems.All(), ElementsAre(HasSubstr("is not good before 20")));
}

TEST_F(RenewalTest, FilesThatCannotBeReadAreToldUntilTheyCan) {
  Give(-kDay, 89 * kDay);
  ASSERT_EQ(WriteFileDurably(node_.directory + "/v1/node.crt", "not PEM", 0600), absl::OkStatus());
  node_.StartRenewal(kLifetime);
  EXPECT_THAT(node_.problems.All(), ElementsAre(HasSubstr("current/node.crt: the certificate is "
                                                          "not readable PEM; mend that")));
  EXPECT_FALSE(node_.renewal().Expires().ok());
  ASSERT_EQ(WriteFileDurably(node_.directory + "/v1/node.crt", first_.certificate, 0600),
            absl::OkStatus());
  EXPECT_EQ(node_.problems.Wait(2), "");
}

}  // namespace
}  // namespace zcluster::identity
