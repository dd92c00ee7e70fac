// SPDX-License-Identifier: Apache-2.0
#include "absl/time/clock.h"
#include "common/certificate.h"
#include "tests/controller/hub/house.h"

namespace zcluster::controller {
namespace {

using testing::Contains;
using testing::HasSubstr;

class EnrolTest : public testing::Test, protected House {
 protected:
  void MakeToken(const std::string& hash, const std::string& pair = "") {
    TokenRecord token;
    token.hash = hash;
    token.pair = pair;
    token.labels = {{"tier", "front"}};
    token.expires = absl::Now() + absl::Hours(1);
    hub->Keep(token, [](const absl::Status& kept) { EXPECT_TRUE(kept.ok()); });
  }
  Candidate Node(const std::string& hash, const AgentId& id,
                 const std::string& pairs_ca = "SHA256:ca") {
    const std::string key = *pki::MakeKey();
    return {hash,
            id,
            *pki::KeyFingerprint(key),
            pairs_ca,
            *pki::MakeRequest(key, "zcluster://x"),
            "0.1.0",
            "192.0.2.9"};
  }
  absl::StatusOr<v1::EnrolResponse> Enrol(const Candidate& candidate) {
    absl::StatusOr<v1::EnrolResponse> result = absl::UnknownError("no answer");
    hub->Enrol(candidate,
               [&result](absl::StatusOr<v1::EnrolResponse> answer) { result = std::move(answer); });
    return result;
  }
  const TokenRecord& Token(const std::string& hash) {
    for (const TokenRecord& token : store.kept.tokens) {
      if (token.hash == hash) return token;
    }
    static const TokenRecord none;
    return none;
  }
};

TEST_F(EnrolTest, LetsTheFirstNodeOfANewPairIn) {
  MakeToken("t");
  const Candidate candidate = Node("t", {"db-1", "n1"}, "SHA256:other");
  const absl::StatusOr<v1::EnrolResponse> response = Enrol(candidate);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(*tls::UriOf(response->certificate()), "zcluster://acme/agent/db-1/n1");
  EXPECT_EQ(response->ca_certificate(), ca);
  EXPECT_EQ(response->fleet(), "acme");
  EXPECT_EQ(response->pair(), "db-1");
  EXPECT_EQ(Token("t").ended, "was used by db-1/n1");
  EXPECT_EQ(hub->fleet().Find("db-1")->labels().at("tier"), "front");
  EXPECT_TRUE(Connect({"db-1", "n1"}, candidate.key).ok());
  EXPECT_THAT(store.Names(), Contains("agent_enrolled"));
}

TEST_F(EnrolTest, TakesATokenOnceEvenIfItIsUsedTwiceAtOnce) {
  MakeToken("t");
  store.at_once = false;
  int in = 0;
  int refused = 0;
  for (const char* node : {"n1", "n2"}) {
    hub->Enrol(Node("t", {"db-1", node}), [&](absl::StatusOr<v1::EnrolResponse> answer) {
      answer.ok() ? ++in : ++refused;
      if (!answer.ok()) {
        EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnauthenticated);
      }
    });
  }
  store.Answer(9);
  EXPECT_EQ(in, 1);
  EXPECT_EQ(refused, 1);
}

TEST_F(EnrolTest, RefusesTokensThatAreNotGood) {
  EXPECT_EQ(Enrol(Node("none", {"db-1", "n1"})).status().code(),
            absl::StatusCode::kUnauthenticated);
  MakeToken("t", "db-1");
  EXPECT_EQ(Enrol(Node("t", {"db-2", "n1"})).status().code(), absl::StatusCode::kUnauthenticated);
  TokenRecord old = Token("t");
  old.hash = "old";
  old.expires = absl::Now() - absl::Seconds(1);
  hub->Keep(old, [](const absl::Status&) {});
  EXPECT_THAT(std::string(Enrol(Node("old", {"db-1", "n1"})).status().message()),
              HasSubstr("expired"));
  EXPECT_EQ(hub->fleet().Find("db-1"), nullptr);
}

TEST_F(EnrolTest, RefusesANameThatIsAnotherPairsAndSaysTheWayOut) {
  MakeToken("t");
  const absl::Status status = Enrol(Node("t", {"web-1", "lb1"}, "SHA256:stranger")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr("zctl fleet token --pair NAME"));
  EXPECT_TRUE(Token("t").ended.empty()) << "the token is still good";
}

TEST_F(EnrolTest, RefusesAThirdNodeUntilOneIsForgotten) {
  MakeToken("t");
  EXPECT_EQ(Enrol(Node("t", {"web-1", "lb3"})).status().code(), absl::StatusCode::kAlreadyExists);
  v1::ForgetPairRequest forget;
  forget.set_pair("web-1");
  forget.set_node("lb2");
  hub->Forget(forget, [](const absl::Status& done) { EXPECT_TRUE(done.ok()); });
  EXPECT_TRUE(Enrol(Node("t", {"web-1", "lb3"})).ok());
}

TEST_F(EnrolTest, HoldsTheLimitOfTheFleet) {
  Hub::Options options = DefaultOptions();
  options.max_agents = 2;
  Open(options);
  MakeToken("t");
  EXPECT_EQ(Enrol(Node("t", {"db-1", "n1"})).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(EnrolTest, EndsTheOldStreamOfANodeThatIsEnrolledAnew) {
  ConnectBoth();
  MakeToken("t");
  const Candidate candidate = Node("t", lb1);
  ASSERT_TRUE(Enrol(candidate).ok());
  ASSERT_EQ(agents.ended.size(), 1U);
  EXPECT_EQ(agents.ended[0].first, lb1);
  EXPECT_EQ(Connect(lb1).status().code(), absl::StatusCode::kPermissionDenied) << "the old key";
  EXPECT_TRUE(Connect(lb1, candidate.key).ok());
}

TEST_F(EnrolTest, GivesNothingThatTheDiskDidNotTake) {
  MakeToken("t");
  store.fails = absl::InternalError("disk full");
  EXPECT_EQ(Enrol(Node("t", {"db-1", "n1"})).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(hub->fleet().Find("db-1"), nullptr);
  store.fails = absl::OkStatus();
  EXPECT_TRUE(Enrol(Node("t", {"db-1", "n1"})).ok());
}

TEST_F(EnrolTest, AnOldCopyDoesNotMakeAUsedTokenGoodAgain) {
  MakeToken("t");
  const TokenRecord stale = Token("t");
  ASSERT_TRUE(Enrol(Node("t", {"db-1", "n1"})).ok());
  hub->Keep(stale, [](const absl::Status&) {});
  EXPECT_FALSE(Token("t").ended.empty());
  EXPECT_EQ(Enrol(Node("t", {"db-1", "n2"})).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(EnrolTest, ForgetsTokensThatEndedLongAgo) {
  TokenRecord old;
  old.hash = "old";
  old.expires = absl::Now() - absl::Hours(30);
  hub->Keep(old, [](const absl::Status&) {});
  MakeToken("t");
  ASSERT_EQ(hub->Tokens().size(), 1U);
  EXPECT_EQ(hub->Tokens()[0].hash, "t");
}

class CertificateTest : public EnrolTest {
 protected:
  // Asks for a certificate for a new key, whose fingerprint is returned.
  std::string Ask(const AgentId& agent) {
    const std::string key = *pki::MakeKey();
    v1::CertificateRequest request;
    request.set_request(*pki::MakeRequest(key, "zcluster://whatever"));
    hub->OnCertificateRequest(agent, request);
    return *pki::KeyFingerprint(key);
  }
};

TEST_F(CertificateTest, LetsBothKeysInUntilTheNewOneIsSeen) {
  ConnectBoth();
  const std::string key = Ask(lb1);
  const v1::IssuedCertificate& issued = agents.sent[lb1].back().certificate();
  EXPECT_EQ(*tls::UriOf(issued.certificate()), "zcluster://acme/agent/web-1/lb1");
  EXPECT_EQ(issued.ca_certificate(), ca);
  Open();  // the controller dies in between
  EXPECT_TRUE(Connect(lb1).ok()) << "it may not have arrived";
  EXPECT_TRUE(Connect(lb1, key).ok());
  Open();
  EXPECT_FALSE(Connect(lb1).ok()) << "it has";
  EXPECT_TRUE(Connect(lb1, key).ok());
}

TEST_F(CertificateTest, GivesNoneThatTheDiskDidNotTake) {
  ConnectBoth();
  store.fails = absl::InternalError("disk full");
  Ask(lb1);
  const v1::IssuedCertificate& issued = agents.sent[lb1].back().certificate();
  EXPECT_EQ(issued.certificate(), "");
  EXPECT_THAT(issued.problem(), HasSubstr("disk full"));
}

TEST_F(CertificateTest, RefusesWhatIsNoRequestAndTooMany) {
  ConnectBoth();
  v1::CertificateRequest garbage;
  garbage.set_request("garbage");
  hub->OnCertificateRequest(lb1, garbage);
  EXPECT_NE(agents.sent[lb1].back().certificate().problem(), "");
  garbage.set_request(std::string(10'000, 'x'));
  hub->OnCertificateRequest(lb1, garbage);
  EXPECT_THAT(agents.sent[lb1].back().certificate().problem(), HasSubstr("at most"));
  Ask(lb1);
  EXPECT_EQ(agents.sent[lb1].back().certificate().problem(), "");
  Ask(lb1);
  EXPECT_THAT(agents.sent[lb1].back().certificate().problem(), HasSubstr("too many"));
}

}  // namespace
}  // namespace zcluster::controller
