// SPDX-License-Identifier: Apache-2.0
#include "controller/enrolment/enrolment.h"

#include <gmock/gmock.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "common/token.h"
#include "tests/controller/enrolment/office.h"

namespace zcluster::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Enrolment, LetsInANodeThatProvesAll) {
  Office office;
  const TestPair pair("web-1");
  const std::string token = office.Token();
  TestNode node(office.port());
  const grpc::Status said = node.Enrol(token, pair, "lb1");
  ASSERT_TRUE(said.ok()) << said.error_message();
  EXPECT_EQ(node.response().pair(), "web-1");
  const auto enrolled = office.Enrolled();
  ASSERT_EQ(enrolled.size(), 1u);
  EXPECT_EQ(enrolled[0].id, (AgentId{"web-1", "lb1"}));
  EXPECT_EQ(enrolled[0].key, node.own().fingerprint);
  EXPECT_EQ(enrolled[0].ca_key, *pki::CertificateFingerprint(pair.ca));
  EXPECT_EQ(enrolled[0].from, "127.0.0.1");
  EXPECT_THAT(office.audit().Lines(),
              ElementsAre(absl::StrCat("127.0.0.1 | zcluster.v1.EnrolmentService/Enrol pair=web-1 "
                                       "node=lb1 key=",
                                       node.own().fingerprint, " | OK")));
}

TEST(Enrolment, CallsThePairAsTheTokenDoes) {
  Office office;
  TestNode node(office.port());
  ASSERT_TRUE(node.Enrol(office.Token("berlin-1"), TestPair("web-1"), "lb1").ok());
  EXPECT_EQ(office.Enrolled()[0].id, (AgentId{"berlin-1", "lb1"}));
}

TEST(Enrolment, TakesATokenOnce) {
  Office office;
  const TestPair pair("web-1");
  const std::string token = office.Token();
  TestNode first(office.port());
  ASSERT_TRUE(first.Enrol(token, pair, "lb1").ok());
  TestNode second(office.port());
  const grpc::Status said = second.Enrol(token, pair, "lb2");
  EXPECT_EQ(said.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(said.error_message(), HasSubstr("the token was used by web-1/lb1"));
  EXPECT_EQ(office.Enrolled().size(), 1u);
  EXPECT_THAT(office.audit().Lines()[1], HasSubstr("UNAUTHENTICATED: the token was used"));
}

TEST(Enrolment, RefusesATokenThatExpired) {
  Office office;
  const std::string token = office.Token();
  office.ChangeTokens([](TokenRecord& kept) { kept.expires = absl::Now() - absl::Seconds(1); });
  TestNode node(office.port());
  const grpc::Status said = node.Enrol(token, TestPair("web-1"), "lb1");
  EXPECT_EQ(said.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(said.error_message(), HasSubstr("the token expired at 20"));
}

TEST(Enrolment, RefusesATokenOfTheFuture) {
  Office office;
  const std::string token = office.Token();
  office.ChangeTokens([](TokenRecord& kept) { kept.made = absl::Now() + absl::Minutes(2); });
  TestNode node(office.port());
  EXPECT_THAT(node.Enrol(token, TestPair("web-1"), "lb1").error_message(),
              HasSubstr("clock went back"));
}

TEST(Enrolment, RefusesAWrongTokenAndKeepsNoAuditOfIt) {
  Office office;
  office.Token();
  const std::string wrong = token::Format(token::Kind::kEnrolment, office.fingerprint(),
                                          std::string(token::kSecretBytes, 'x'));
  TestNode node(office.port());
  const grpc::Status said = node.Enrol(wrong, TestPair("web-1"), "lb1");
  EXPECT_EQ(said.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(said.error_message(), HasSubstr("not one of this controller's"));
  EXPECT_THAT(office.audit().Lines(), IsEmpty()) << "strangers would fill it";
}

TEST(Enrolment, SlowsWhoeverTriesManyTokens) {
  Office office;
  const std::string good = office.Token();
  const std::string wrong = token::Format(token::Kind::kEnrolment, office.fingerprint(),
                                          std::string(token::kSecretBytes, 'x'));
  const TestPair pair("web-1");
  TestNode node(office.port());
  const v1::EnrolRequest request = node.Ask(wrong, pair, "lb1");
  int wrong_tries = 0;
  grpc::Status said;
  do {
    said = node.Say(request);
  } while (said.error_code() == grpc::StatusCode::UNAUTHENTICATED && ++wrong_tries < 100);
  EXPECT_EQ(said.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_GE(wrong_tries, 5);
  EXPECT_LT(wrong_tries, 20);
  EXPECT_EQ(node.Enrol(good, pair, "lb1").error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// Somebody in between has a session with the node and one with the controller, and says on the
// second what it heard on the first.
TEST(Enrolment, RefusesAProofOfAnotherSession) {
  Office office;
  TestNode honest(office.port());
  TestNode between(office.port());
  const v1::EnrolRequest heard = honest.Ask(office.Token(), TestPair("web-1"), "lb1");
  EXPECT_EQ(between.Say(heard).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(office.Enrolled(), IsEmpty());
  EXPECT_TRUE(honest.Say(heard).ok()) << "and the token is still good";
}

TEST(Enrolment, TiesAPairsNameToItsCa) {
  Office office;
  const TestPair pair("web-1");
  const TestPair namesake("web-1");
  TestNode first(office.port());
  ASSERT_TRUE(first.Enrol(office.Token(), pair, "lb1").ok());
  TestNode second(office.port());
  EXPECT_EQ(second.Enrol(office.Token(), namesake, "lb2").error_code(),
            grpc::StatusCode::ALREADY_EXISTS);
  TestNode third(office.port());
  EXPECT_TRUE(third.Enrol(office.Token(), pair, "lb2").ok());
}

TEST(Enrolment, SaysThatItCannotKeepANode) {
  Office office;
  const std::string token = office.Token();
  office.Do([](Enrolment&, TestBooks& books) { books.disk = absl::UnavailableError("disk full"); });
  TestNode node(office.port());
  EXPECT_EQ(node.Enrol(token, TestPair("web-1"), "lb1").error_code(),
            grpc::StatusCode::UNAVAILABLE);
  office.Do([](Enrolment&, TestBooks& books) { books.disk = absl::OkStatus(); });
  EXPECT_TRUE(node.Enrol(token, TestPair("web-1"), "lb1").ok());
}

TEST(Enrolment, AnswersWhoWaitsWhenItStops) {
  Office office;
  const std::string token = office.Token();
  office.Do([](Enrolment&, TestBooks& books) { books.owes = true; });
  TestNode node(office.port());
  grpc::Status said;
  std::thread waiting([&] { said = node.Enrol(token, TestPair("web-1"), "lb1"); });
  ASSERT_TRUE(office.Waits([](TestBooks& books) { return books.owed.size() == 1; }));
  EXPECT_LT(office.Stop(), absl::Seconds(10));
  waiting.join();
  EXPECT_EQ(said.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(said.error_message(), HasSubstr("the controller is stopping"));
  // The answer that comes too late goes nowhere.
  ASSERT_TRUE(office.Waits([](TestBooks& books) {
    for (const auto& answer : std::exchange(books.owed, {})) answer();
    return true;
  }));
}

TEST(MakeToken, GivesATokenThatIsKept) {
  Office office;
  const auto made = office.Make(
      {.pair = "berlin-1", .labels = {{"site", "berlin"}}, .lifetime = absl::Minutes(15)});
  ASSERT_TRUE(made.ok()) << made.status();
  const auto parsed = token::Parse(token::Kind::kEnrolment, made->token);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->fingerprint, office.fingerprint());
  office.Do([&](Enrolment&, TestBooks& books) {
    const TokenRecord& kept = books.tokens.at(token::HashOf(parsed->secret));
    EXPECT_EQ(kept.pair, "berlin-1");
    EXPECT_EQ(kept.labels.at("site"), "berlin");
    EXPECT_EQ(kept.expires, made->expires);
    EXPECT_EQ(kept.expires - kept.made, absl::Minutes(15));
    EXPECT_EQ(kept.ended, "");
  });
}

TEST(MakeToken, GivesNoneThatIsNotKept) {
  Office office;
  office.Do([](Enrolment&, TestBooks& books) { books.disk = absl::UnavailableError("disk full"); });
  EXPECT_EQ(office.Make({.pair = "", .labels = {}, .lifetime = absl::Hours(1)}).status().message(),
            "disk full");
}

TEST(MakeToken, RefusesWhatNoTokenMaySay) {
  Office office;
  const auto refusal = [&](const Enrolment::Wanted& wanted) {
    return office.Make(wanted).status().ToString();
  };
  const absl::Duration hour = absl::Hours(1);
  EXPECT_THAT(refusal({"", {}, absl::Seconds(9)}), HasSubstr("OUT_OF_RANGE: lifetime: "));
  EXPECT_THAT(refusal({"", {}, absl::Hours(721)}), HasSubstr("10s to 720h, not 721h"));
  EXPECT_THAT(refusal({"", {}, absl::InfiniteDuration()}), HasSubstr("OUT_OF_RANGE"));
  EXPECT_THAT(refusal({"Web 1", {}, hour}), HasSubstr("INVALID_ARGUMENT: pair: is 'Web 1'"));
  EXPECT_THAT(refusal({"", {{"9", "x"}}, hour}), HasSubstr("INVALID_ARGUMENT: labels: "));
  EXPECT_TRUE(office.Make({"", {}, absl::Seconds(10)}).ok());
  EXPECT_TRUE(office.Make({"", {}, absl::Hours(720)}).ok());
}

}  // namespace
}  // namespace zcluster::controller
