// SPDX-License-Identifier: Apache-2.0
// zctl node, reload, status of a node in no pair, and the exit codes of refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ctl/invoke.h"

namespace zcluster::ctl {
namespace {

using testing::HasSubstr;

TEST_F(CtlTest, ATokenIsAloneOnStandardOutput) {
  agent_.token.set_token("zt1.abc");
  agent_.token.mutable_expires()->set_seconds(1767225600);
  const Outcome outcome = Ask({"node", "token", "--lifetime", "15m"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_EQ(outcome.out, "zt1.abc\n");
  EXPECT_THAT(outcome.err, HasSubstr("admits one join, until 2026-01-01 00:00:00 UTC"));
  EXPECT_EQ(agent_.token_request.lifetime().seconds(), 900);
}

TEST_F(CtlTest, ATokensLifetimeIsTheAgentsUnlessGiven) {
  EXPECT_EQ(Ask({"node", "token"}).code, kOk);
  EXPECT_FALSE(agent_.token_request.has_lifetime());
  EXPECT_EQ(Ask({"node", "token", "--lifetime", "15"}).code, kUsage);
}

TEST_F(CtlTest, ATokenForPrograms) {
  agent_.token.set_token("zt1.abc");
  agent_.token.mutable_expires()->set_seconds(1767225600);
  const Outcome outcome = Ask({"node", "token", "-o", "yaml"});
  EXPECT_EQ(outcome.out, "token: zt1.abc\nexpires: \"2026-01-01T00:00:00Z\"\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(CtlTest, AFingerprintIsPrinted) {
  agent_.fingerprint = "SHA256:abc";
  EXPECT_EQ(Ask({"node", "fingerprint"}).out, "SHA256:abc\n");
  EXPECT_EQ(Ask({"node", "fingerprint", "-o", "json"}).out, "{\"fingerprint\": \"SHA256:abc\"}\n");
}

TEST_F(CtlTest, UnlockSaysWhatItDid) {
  EXPECT_EQ(Ask({"node", "unlock"}).out, "joins may be tried again\n");
}

TEST_F(CtlTest, ReloadShowsHowOldEachLineIs) {
  AddPair();
  agent_.status.mutable_nodes(0)->mutable_age();
  agent_.status.mutable_nodes(1)->mutable_age()->set_seconds(192);
  EXPECT_EQ(Ask({"reload"}).out,
            "NODE    ROLE    IP        HOSTNAME  STATUS  AGE    MESSAGE\n"
            "local   MASTER  10.0.0.1  node1     GREEN   now    master since term 8\n"
            "remote  BACKUP  10.0.0.2  node2     RED     3m12s  peer \"x\" is away\n");
  agent_.status.mutable_nodes(1)->clear_age();
  EXPECT_THAT(Ask({"reload"}).out, HasSubstr("RED     never heard  peer"));
  EXPECT_THAT(Ask({"reload", "-o", "json"}).out, HasSubstr(R"("age_seconds": null, "message")"));
}

TEST_F(CtlTest, StatusOfANodeInNoPairSaysHowToMakeOne) {
  agent_.AddNode(true, v1::ROLE_UNCONFIGURED, "", "lb1", v1::STATUS_GREY, "in no pair");
  EXPECT_EQ(Ask({"status"}).out,
            "lb1 is UNCONFIGURED, GREY: in no pair\n"
            "make a pair with `zctl cluster create` here, or let the other node make it: `zctl "
            "node token` admits it\n");
}

TEST_F(CtlTest, YamlIsForEveryVerb) {
  AddPair();
  EXPECT_EQ(Ask({"nodes", "-o", "yaml"}).out,
            "nodes:\n"
            "  - node: local\n"
            "    role: MASTER\n"
            "    ip: 10.0.0.1\n"
            "    hostname: node1\n"
            "    status: GREEN\n"
            "    message: master since term 8\n"
            "  - node: remote\n"
            "    role: BACKUP\n"
            "    ip: 10.0.0.2\n"
            "    hostname: node2\n"
            "    status: RED\n"
            "    message: peer \"x\" is away\n");
  agent_.AddStep("checked", 1);
  EXPECT_EQ(Ask({"switchover", "-o", "yaml"}).out,
            "steps:\n  - what: checked\n    ms: 1\nok: true\nerror: \"\"\n");
}

struct Ended {
  grpc::StatusCode status;
  int code;
};

class ExitCodeOf : public CtlTest, public testing::WithParamInterface<Ended> {};

TEST_P(ExitCodeOf, TellsScriptsWhatHappened) {
  agent_.end = grpc::Status(GetParam().status, "why");
  for (const std::string verb : {"nodes", "switchover"}) {
    EXPECT_EQ(Ask({verb}).code, GetParam().code) << verb;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, ExitCodeOf,
                         testing::Values(Ended{grpc::StatusCode::PERMISSION_DENIED, kNotPermitted},
                                         Ended{grpc::StatusCode::UNAUTHENTICATED, kNotPermitted},
                                         Ended{grpc::StatusCode::INVALID_ARGUMENT, kUsage},
                                         Ended{grpc::StatusCode::FAILED_PRECONDITION, kFailed},
                                         Ended{grpc::StatusCode::UNIMPLEMENTED, kFailed},
                                         Ended{grpc::StatusCode::UNAVAILABLE, kUnreachable},
                                         // Of the agent: nobody has been asked anything.
                                         Ended{grpc::StatusCode::CANCELLED, kUnreachable}));

}  // namespace
}  // namespace zcluster::ctl
