// SPDX-License-Identifier: Apache-2.0
// Who may do what, as people meet it: an operator on another machine with a credential, a member of
// the group on the node itself, a stranger; what is revoked ends at once; and it is all in the
// audit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/bare.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

class Access : public BareScenario {
 protected:
  static void SetUpTestSuite() { RaiseBare("access"); }
  void SetUp() override {
    BareScenario::SetUp();
    lab().Exec("client", {"rm", "-rf", "/root/.config/zcluster"});
    MustCreate();
    AwaitReady();
  }

  // Makes a credential on node1 and a context of that name on the client.
  static void Admit(const std::string& name, const std::string& role) {
    const std::string file = absl::StrCat(lab().share(), "/", name, ".zctl");
    lab().Exec("node1", {"rm", "-f", file});
    lab().MustExec("node1", {"zctl", "operator", "add", name, "--role", role, "--out", file});
    lab().MustExec("client",
                   {"env", "HOME=/tmp/op", "zctl", "context", "add", name, "--credential", file});
  }
  static Outcome Remote(const std::string& name, std::vector<std::string> words) {
    std::vector<std::string> argv{"env", "HOME=/tmp/op", "zctl", "--context", name};
    argv.insert(argv.end(), words.begin(), words.end());
    return lab().Exec("client", argv);
  }
  void TearDown() override {
    lab().Exec("client", {"rm", "-rf", "/tmp/op"});
    BareScenario::TearDown();
  }
};

TEST_F(Access, FromElsewhereIsByCredentialAndItsRole) {
  Admit("eye", "viewer");
  Admit("hand", "operator");
  Admit("boss", "admin");
  EXPECT_EQ(Remote("eye", {"nodes"}).code, 0);
  const Outcome denied = Remote("eye", {"switchover"});
  EXPECT_EQ(denied.code, 4);
  EXPECT_THAT(denied.err, testing::AllOf(HasSubstr("eye"), HasSubstr("viewer")));
  EXPECT_TRUE(lab().HoldsAll("node1"));
  EXPECT_EQ(Remote("hand", {"switchover"}).code, 0);
  EXPECT_TRUE(WaitUntil(kLong, [] { return lab().HoldsAll("node2"); }));
  AwaitReady();
  EXPECT_EQ(Remote("hand", {"cluster", "configure", "--vip-add", "10.10.0.101/24", "--yes"}).code,
            4);
  const Outcome changed =
      Remote("boss", {"cluster", "configure", "--vip-add", "10.10.0.101/24", "--yes"});
  EXPECT_EQ(changed.code, 0) << changed.err;
  // And the other node, should the first be gone.
  lab().MustRun({"kill", "node1"});
  EXPECT_TRUE(WaitUntil(kLong, [] { return Remote("eye", {"nodes"}).code == 0; }));
  lab().MustRun({"revive", "node1"});
  AwaitReady();

  const std::string audit = lab().Read("node1", {"zctl", "audit"});
  EXPECT_THAT(audit, testing::AllOf(HasSubstr("operator hand"), HasSubstr("Switchover"),
                                    HasSubstr("10.10.0.10")));
  EXPECT_THAT(audit, testing::AllOf(HasSubstr("operator eye"), HasSubstr("PERMISSION_DENIED")));
}

TEST_F(Access, ThatIsRevokedEndsAtOnceOnBothNodesWithOpenStreams) {
  Admit("robot", "viewer");
  std::string seen;
  const Outcome watch =
      Follow("client", {"env", "HOME=/tmp/op", "zctl", "--context", "robot", "watch", "-o", "json"},
             "", [&](const std::string& line) {
               if (!seen.empty()) return;
               seen = line;
               lab().MustExec("node2", {"zctl", "operator", "revoke", "robot"});
             });
  EXPECT_THAT(seen, HasSubstr("node1"));
  EXPECT_EQ(watch.code, 4) << watch.out;
  EXPECT_THAT(watch.out, HasSubstr("revoked"));
  EXPECT_NE(Remote("robot", {"nodes"}).code, 0);
  EXPECT_THAT(lab().Read("node1", {"zctl", "operator", "list"}), Not(HasSubstr("robot")));
}

TEST_F(Access, WithTls12OrWithoutACertificateIsRefused) {
  const auto handshake = [](const std::string& flags) {
    return lab()
        .Exec("client", {"sh", "-c",
                         absl::StrCat("openssl s_client -connect 10.10.0.1:7702 -alpn h2 ", flags,
                                      " </dev/null 2>&1")})
        .out;
  };
  EXPECT_THAT(handshake("-tls1_2"), Not(HasSubstr("Cipher is ECDHE")));
  EXPECT_THAT(handshake("-tls1_2"), HasSubstr("Cipher is (NONE)"));
  EXPECT_THAT(handshake("-tls1_3"), HasSubstr("TLSv1.3"));
}

TEST_F(Access, OnTheNodeIsOfRootAndOfTheGroup) {
  for (const char* command :
       {"groupadd -f zcluster", "id anna 2>/dev/null || useradd -M -G zcluster anna",
        "id otto 2>/dev/null || useradd -M otto"}) {
    lab().MustExec("node1", {"sh", "-c", command});
  }
  lab().MustRun({"agent", "node1", "restart"});
  AwaitReady();
  const auto as = [](const std::string& user, const std::string& command) {
    return lab().Exec("node1",
                      {"setpriv", absl::StrCat("--reuid=", user), absl::StrCat("--regid=", user),
                       "--init-groups", "env", "-C", "/", "HOME=/", "sh", "-c", command});
  };
  EXPECT_EQ(as("anna", "zctl nodes").code, 0) << as("anna", "zctl nodes").err;
  const Outcome denied = as("anna", "zctl cluster unconfigure --local --yes");
  EXPECT_EQ(denied.code, 4) << denied.err;
  EXPECT_THAT(denied.err, HasSubstr("admin"));
  EXPECT_NE(as("otto", "zctl nodes").code, 0);
  EXPECT_TRUE(InPair("node1"));
  EXPECT_THAT(lab().Read("node1", {"zctl", "audit"}), HasSubstr("anna"));
}

}  // namespace
}  // namespace zcluster::lab
