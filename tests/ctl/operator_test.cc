// SPDX-License-Identifier: Apache-2.0
// zctl operator, audit and context: from the credential to a call over TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "common/certificate.h"
#include "common/file.h"
#include "common/tls.h"
#include "ctl/remote/credential.h"
#include "tests/ctl/fake_controller.h"
#include "tests/ctl/invoke.h"
#include "tests/ctl/screen.h"
#include "tests/support/certificates.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// ---- operators

class OperatorTest : public CtlTest {
 protected:
  void SetUp() override {
    agent_.describe.mutable_config()->set_name("main");
    agent_.admit = [this](const v1::AddOperatorRequest& request) {
      request_ = request;
      v1::AddOperatorResponse response;
      response.set_certificate("certificate\n");
      response.set_ca_certificate("ca\n");
      response.set_pair("main");
      response.add_addresses("192.0.2.1:7702");
      response.add_addresses("192.0.2.2:7702");
      response.mutable_expires()->set_seconds(1767225600);
      return response;
    };
  }
  test::TempDirectory directory_;
  const std::string file_ = directory_.path() + "/anna.zctl";
  v1::AddOperatorRequest request_;
};

TEST_F(OperatorTest, AddWritesACredentialForNobodyElse) {
  const Outcome outcome = Ask({"operator", "add", "anna", "--role", "operator", "--out", file_});
  ASSERT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(request_.name(), "anna");
  EXPECT_EQ(request_.role(), v1::RIGHT_OPERATOR);
  EXPECT_THAT(request_.request(), StartsWith("-----BEGIN CERTIFICATE REQUEST-----"));
  struct stat status {};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const auto credential = ParseCredential(file_, *ReadFile(file_));
  ASSERT_TRUE(credential.ok()) << credential.status();
  EXPECT_EQ(credential->pair, "main");
  EXPECT_EQ(credential->name, "anna");
  EXPECT_THAT(credential->addresses, ElementsAre("192.0.2.1:7702", "192.0.2.2:7702"));
  EXPECT_EQ(credential->certificate, "certificate\n");
  EXPECT_EQ(credential->ca, "ca\n");
  EXPECT_THAT(credential->key, StartsWith("-----BEGIN PRIVATE KEY-----"));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("operator anna (operator) may reach the pair main"),
                                 HasSubstr(file_), HasSubstr("2026-01-01")));
}

TEST_F(OperatorTest, TheKeyIsInTheFileAlone) {
  const Outcome outcome =
      Ask({"operator", "add", "anna", "--role", "viewer", "--out", file_, "-o", "json"});
  ASSERT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(request_.SerializeAsString(), Not(HasSubstr("PRIVATE KEY")));
  EXPECT_EQ(outcome.out,
            "{\"name\": \"anna\", \"role\": \"viewer\", \"pair\": \"main\", \"addresses\": "
            "[\"192.0.2.1:7702\", \"192.0.2.2:7702\"], \"file\": \"" +
                file_ + "\", \"expires\": \"2026-01-01T00:00:00Z\"}\n");
}

TEST_F(OperatorTest, AddOverwritesNothingAndAsksNobodyThen) {
  std::ofstream(file_) << "mine";
  const Outcome outcome = Ask({"operator", "add", "anna", "--role", "admin", "--out", file_});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr(file_ + " is there already"));
  EXPECT_EQ(*ReadFile(file_), "mine");
  EXPECT_THAT(agent_.calls, IsEmpty());
}

TEST_F(OperatorTest, ARefusedOneLeavesNoFile) {
  agent_.ends["Add"] = grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "anna is a viewer");
  EXPECT_EQ(Ask({"operator", "add", "bob", "--role", "admin", "--out", file_}).code, kNotPermitted);
  EXPECT_FALSE(ReadFile(file_).ok());
  agent_.ends["Add"] = grpc::Status(grpc::StatusCode::ABORTED, "generation 8 by now");
  EXPECT_EQ(Ask({"operator", "add", "bob", "--role", "admin", "--out", file_}).code, kConflict);
}

TEST_F(OperatorTest, AddWantsARoleAndANameThatIsNoPath) {
  EXPECT_THAT(Ask({"operator", "add", "anna"}).err, HasSubstr("--role is missing"));
  EXPECT_THAT(Ask({"operator", "add", "../anna", "--role", "viewer"}).err,
              HasSubstr("'../anna' cannot name an operator"));
  EXPECT_THAT(agent_.calls, IsEmpty());
}

TEST_F(OperatorTest, ListShowsEachAndItsRole) {
  EXPECT_THAT(Ask({"operator", "list"}).out, HasSubstr("nobody reaches the pair from elsewhere"));
  auto& anna = *agent_.operators.add_operators();
  anna.set_name("anna");
  anna.set_role(v1::RIGHT_ADMIN);
  anna.set_key("SHA256:abc");
  EXPECT_EQ(Ask({"operator", "list"}).out, "NAME  ROLE   KEY\nanna  admin  SHA256:abc\n");
  EXPECT_EQ(Ask({"operator", "list", "-o", "json"}).out,
            "{\"operators\": [{\"name\": \"anna\", \"role\": \"admin\", \"key\": "
            "\"SHA256:abc\"}]}\n");
}

TEST_F(OperatorTest, RevokeNamesWhom) {
  EXPECT_THAT(Ask({"operator", "revoke", "anna"}).out, HasSubstr("operator anna is admitted no"));
  EXPECT_EQ(agent_.revoked.name(), "anna");
  agent_.ends["Revoke"] = grpc::Status(grpc::StatusCode::NOT_FOUND, "no operator anna");
  EXPECT_EQ(Ask({"operator", "revoke", "anna"}).code, kFailed);
}

TEST_F(OperatorTest, AuditShowsWhoDidWhat) {
  auto& entry = *agent_.audit.add_entries();
  entry.mutable_at()->set_seconds(1767225600);
  entry.set_who("operator anna");
  entry.set_from("192.0.2.7");
  entry.set_what("MaintenanceService/Switchover force=false");
  entry.set_result("OK");
  EXPECT_EQ(Ask({"audit", "--limit", "20"}).out,
            "AT                       WHO            FROM       RESULT  WHAT\n"
            "2026-01-01 00:00:00 UTC  operator anna  192.0.2.7  OK      "
            "MaintenanceService/Switchover force=false\n");
  EXPECT_EQ(agent_.audit_request.limit(), 20u);
  EXPECT_EQ(Ask({"audit", "--limit", "0"}).code, kUsage);
}

// ---- contexts

// A pair that serves operators on a port, and whoever wants to reach it.
class ContextTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { tls::RequireTls13(); }
  void SetUp() override {
    setenv("XDG_CONFIG_HOME", directory_.path().c_str(), 1);
    unsetenv("ZCTL_CONTEXT");
    Serve("zcluster://main/node/lb1");
  }
  void TearDown() override {
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("ZCTL_CONTEXT");
  }

  // A node with that identity, which lets the operator anna in.
  void Serve(const std::string& uri) {
    agent_ = std::make_unique<FakeAgent>(tls::ServerCredentials(
        authority_.Issue("node", {.uri = uri}), {.uri = "zcluster://main/operator/anna"}, nullptr));
    agent_->AddNode(true, v1::ROLE_MASTER, "10.0.0.1", "node1", v1::STATUS_GREEN, "well");
  }
  // The file of an operator of the pair, as `operator add` writes it.
  std::string CredentialFile(const std::string& name, const test::CertificateOptions& options,
                             const std::string& who = "anna") {
    const tls::Files files = authority_.Issue(name, options);
    const std::string path = directory_.path() + "/" + name + ".zctl";
    const Credential credential = {.pair = "main",
                                   .name = who,
                                   .addresses = {agent_->address()},
                                   .certificate = *ReadFile(files.certificate),
                                   .key = *ReadFile(files.key),
                                   .ca = *ReadFile(files.ca)};
    EXPECT_EQ(WriteFileAtomically(path, CredentialText(credential), 0600), absl::OkStatus());
    return path;
  }
  Outcome Add(const std::string& name, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"context", "add", name, "--credential",
                               CredentialFile("anna", {.uri = "zcluster://main/operator/anna"})});
    return Invoke(more);
  }

  test::TempDirectory directory_;
  const test::Authority authority_{directory_.path(), "pair"};
  std::unique_ptr<FakeAgent> agent_;
};

TEST_F(ContextTest, ReachesThePairOverTls) {
  ASSERT_EQ(Add("web").code, kOk);
  const Outcome outcome = Invoke({"--context", "web", "nodes"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("local  MASTER  10.0.0.1  node1     GREEN   well\n"));
}

TEST_F(ContextTest, TheProgramItselfSaysNothingBesides) {
  ASSERT_EQ(Add("web").code, kOk);
  Screen screen({"--context", "web", "nodes", "-o", "json"},
                {{"XDG_CONFIG_HOME", directory_.path()}});
  EXPECT_EQ(screen.Ends(), kOk);
  EXPECT_THAT(screen.seen(), AllOf(StartsWith("{\"nodes\": ["), EndsWith("]}\r\n")));
}

TEST_F(ContextTest, AnOperatorThatIsNotAdmittedIsToldNothing) {
  const std::string file = CredentialFile("eve", {.uri = "zcluster://main/operator/eve"}, "eve");
  ASSERT_EQ(Invoke({"context", "add", "web", "--credential", file}).code, kOk);
  const Outcome outcome = Invoke({"--context", "web", "nodes"});
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(agent_->calls, IsEmpty());
}

TEST_F(ContextTest, IsChosenByUseByTheEnvironmentAndByTheOption) {
  ASSERT_EQ(Add("web").code, kOk);
  EXPECT_EQ(Invoke({"context", "use", "web"}).out, "from now on: web\n");
  EXPECT_EQ(Invoke({"nodes"}).code, kOk);
  EXPECT_EQ(Invoke({"nodes", "--context", "other"}).code, kFailed);
  setenv("ZCTL_CONTEXT", "other", 1);
  EXPECT_THAT(Invoke({"nodes"}).err, HasSubstr("there is no context 'other'"));
  EXPECT_EQ(Invoke({"nodes", "--context", "web"}).code, kOk);
  unsetenv("ZCTL_CONTEXT");
  EXPECT_EQ(Invoke({"context", "use", "local"}).code, kOk);
  EXPECT_EQ(Invoke({"nodes", "--socket", agent_->socket()}).code, kOk);
}

TEST_F(ContextTest, ASocketThatIsGivenIsMeant) {
  ASSERT_EQ(Add("web").code, kOk);
  ASSERT_EQ(Invoke({"context", "use", "web"}).code, kOk);
  EXPECT_EQ(Invoke({"nodes", "--socket", "/nonexistent/agent.sock"}).code, kUnreachable);
  const Outcome both = Invoke({"nodes", "--socket", "/x", "--context", "web"});
  EXPECT_EQ(both.code, kUsage);
  EXPECT_THAT(both.err, HasSubstr("--socket and --context name two agents"));
}

TEST_F(ContextTest, TriesTheAddressesInOrder) {
  ASSERT_EQ(Add("web", {"--address", "127.0.0.1:1", "--address", agent_->address()}).code, kOk);
  EXPECT_EQ(Invoke({"--context", "web", "nodes"}).code, kOk);
}

TEST_F(ContextTest, SaysForEachAddressWhyNot) {
  ASSERT_EQ(Add("web", {"--address", "127.0.0.1:1"}).code, kOk);
  const Outcome outcome = Invoke({"--context", "web", "nodes"});
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_THAT(outcome.err, HasSubstr("context web: no node or controller of main lets us in: "
                                     "127.0.0.1:1: no answer"));
}

TEST_F(ContextTest, AcceptsEitherNodeOfThePair) {
  Serve("zcluster://main/node/lb2");
  ASSERT_EQ(Add("web").code, kOk);
  EXPECT_EQ(Invoke({"--context", "web", "nodes"}).code, kOk);
}

TEST_F(ContextTest, AcceptsNobodyElse) {
  for (const std::string uri :
       {"zcluster://other/node/lb1", "zcluster://main/operator/eve", "zcluster://main/nodes/lb1",
        "zcluster://other/controller/c1", "zcluster://main/agent/web-1/lb1",
        "zcluster://main/controllers/c1"}) {
    Serve(uri);
    ASSERT_EQ(Add("web").code, kOk);
    const Outcome outcome = Invoke({"--context", "web", "nodes"});
    EXPECT_EQ(outcome.code, kUnreachable) << uri;
    EXPECT_THAT(outcome.err, HasSubstr("its certificate is for " + uri));
  }
}

TEST_F(ContextTest, AcceptsAControllerOfTheFleet) {
  FakeController controller(tls::ServerCredentials(
      authority_.Issue("controller", {.uri = "zcluster://main/controller/c1"}),
      {.uri = "zcluster://main/operator/anna"}, nullptr));
  controller.AddPair("web-1", v1::STATUS_GREEN, "lb1");
  ASSERT_EQ(Add("main", {"--address", controller.address()}).code, kOk);
  const Outcome outcome = Invoke({"--context", "main", "fleet", "list"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("web-1  GREEN"));
  ASSERT_EQ(Invoke({"context", "use", "main"}).code, kOk);
  EXPECT_EQ(Invoke({"fleet", "list"}).code, kOk);
  EXPECT_THAT(Invoke({"nodes"}).err, HasSubstr("a controller answers at " + controller.address()));
  controller.ends["Show"] = grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "");
  EXPECT_THAT(Invoke({"fleet", "show", "x"}).err, HasSubstr("the controller does not know"));
  EXPECT_THAT(Invoke({"operator", "list"}).out, HasSubstr("nobody reaches the fleet"));
}

TEST_F(ContextTest, AFleetsVerbInThePairsContextSaysSo) {
  ASSERT_EQ(Add("web").code, kOk);
  const Outcome outcome = Invoke({"--context", "web", "fleet", "list"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("an agent answers at " + agent_->address()));
}

TEST_F(ContextTest, UseLocalIsNoChoice) {
  const auto asked = [](const std::vector<std::string>& words) { return Invoke(words).err; };
  EXPECT_EQ(Invoke({"context", "use", "controller"}).out,
            "from now on: the controller on this machine\n");
  EXPECT_THAT(asked({"nodes", "--timeout", "1ms"}), HasSubstr("/run/zcluster/controller.sock"));
  EXPECT_EQ(Invoke({"context", "use", "local"}).code, kOk);
  EXPECT_THAT(asked({"fleet", "list", "--timeout", "1ms"}),
              HasSubstr("/run/zcluster/controller.sock"));
  EXPECT_THAT(asked({"nodes", "--timeout", "1ms"}), HasSubstr("/run/zcluster/agent.sock"));
  EXPECT_THAT(asked({"--context", "local", "fleet", "list", "--timeout", "1ms"}),
              HasSubstr("/run/zcluster/agent.sock"));
}

TEST_F(ContextTest, AnotherPairsAuthorityIsNoneOfOurs) {
  const test::Authority stranger(directory_.path(), "stranger");
  agent_ = std::make_unique<FakeAgent>(
      tls::ServerCredentials(stranger.Issue("fake", {.uri = "zcluster://main/node/lb1"}),
                             {.uri = "zcluster://main/operator/anna"}, nullptr));
  ASSERT_EQ(Add("web").code, kOk);
  const Outcome outcome = Invoke({"--context", "web", "nodes"});
  EXPECT_EQ(outcome.code, kUnreachable);
  EXPECT_THAT(outcome.err, HasSubstr("not signed by the pair's CA"));
}

TEST_F(ContextTest, ACredentialThatIsNoGoodIsNotAdded) {
  const std::string expired = CredentialFile(
      "old", {.uri = "zcluster://main/operator/anna", .valid_to = -absl::Minutes(1)});
  const Outcome outcome = Invoke({"context", "add", "web", "--credential", expired});
  EXPECT_EQ(outcome.code, kNotPermitted);
  EXPECT_THAT(outcome.err, HasSubstr("expired"));
  EXPECT_EQ(Invoke({"context", "add", "web"}).code, kUsage);
  EXPECT_EQ(Add("local").code, kUsage);
  EXPECT_EQ(Add("controller").code, kUsage);
  EXPECT_EQ(Add("web", {"--address", "lb1"}).code, kUsage);
}

TEST_F(ContextTest, ListMarksTheOneInUse) {
  ASSERT_EQ(Add("web", {"--address", "192.0.2.1:7702"}).code, kOk);
  EXPECT_EQ(Invoke({"context", "list"}).out,
            "NAME        PAIR  OPERATOR  ADDRESSES       IN USE\n"
            "local                                       yes\n"
            "controller\n"
            "web         main  anna      192.0.2.1:7702\n");
  ASSERT_EQ(Invoke({"context", "use", "web"}).code, kOk);
  EXPECT_THAT(Invoke({"context", "list", "-o", "json"}).out,
              HasSubstr("\"addresses\": [\"192.0.2.1:7702\"], \"in_use\": true"));
  EXPECT_EQ(Invoke({"context", "remove", "web"}).code, kOk);
  EXPECT_THAT(Invoke({"context", "list"}).out, Not(HasSubstr("web")));
  EXPECT_EQ(Invoke({"context", "remove", "web"}).code, kFailed);
}

}  // namespace
}  // namespace zcluster::ctl
