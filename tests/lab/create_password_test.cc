// SPDX-License-Identifier: Apache-2.0
// The root password lets a join in, by the node's own PAM and /etc/shadow: once right, locked after
// five wrong tries, never when turned off. And a man in the middle, who is told nothing in either
// way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/lab/support/bare.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kPassword[] = "correct horse 7 battery";

class CreatePassword : public BareScenario {
 protected:
  static void SetUpTestSuite() {
    RaiseBare("crpass");
    // The machine's own /etc/shadow: what is written there does not reach the host.
    lab().Exec("node2", {"chpasswd"}, absl::StrCat("root:", kPassword, "\n"));
  }

  static std::string Fingerprint() {
    return std::string(
        absl::StripAsciiWhitespace(lab().Read("node2", {"zctl", "node", "fingerprint"})));
  }
  static Outcome ByPassword(const std::string& password, std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--password-stdin", "--fingerprint", Fingerprint()});
    return Create(flags, password + "\n");
  }
};

TEST_F(CreatePassword, LetsAJoinInAndIsFoundNowhere) {
  const Outcome created = ByPassword(kPassword);
  ASSERT_EQ(created.code, 0) << created.out << created.err;
  EXPECT_TRUE(lab().Ready());
  for (const char* node : {"node1", "node2"}) {
    EXPECT_NE(lab()
                  .Exec(node, {"grep", "-rqs", "--exclude-dir=zlab", kPassword, "/var/log",
                               "/var/lib/zcluster", "/etc/zcluster", "/run"})
                  .code,
              0)
        << node << " kept it";
    EXPECT_THAT(lab().Read(node, {"sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"}),
                Not(HasSubstr(kPassword)));
  }
}

TEST_F(CreatePassword, FiveWrongOnesLockUntilUnlockedThere) {
  for (int i = 0; i < 5; ++i) {
    const Outcome wrong = ByPassword("wrong");
    EXPECT_EQ(wrong.code, 4) << wrong.err;
    EXPECT_THAT(wrong.err, HasSubstr("password"));
  }
  const Outcome locked = ByPassword(kPassword);
  EXPECT_NE(locked.code, 0);
  EXPECT_THAT(locked.err, HasSubstr("zctl node unlock"));
  lab().MustRun({"agent", "node2", "restart"});
  ASSERT_TRUE(WaitUntil(kLong, [] { return IsBare("node2"); }));
  EXPECT_THAT(ByPassword(kPassword).err, HasSubstr("zctl node unlock")) << "forgotten by a restart";
  lab().MustExec("node2", {"zctl", "node", "unlock"});
  const Outcome right = ByPassword(kPassword);
  EXPECT_EQ(right.code, 0) << right.err;
}

TEST_F(CreatePassword, CanBeTurnedOff) {
  lab().MustExec("node2",
                 {"sh", "-c", "echo 'bootstrap: {password: false}' >>/etc/zcluster/agent.yaml"});
  lab().MustRun({"agent", "node2", "restart"});
  ASSERT_TRUE(WaitUntil(kLong, [] { return IsBare("node2"); }));
  const Outcome refused = ByPassword(kPassword);
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("token"));
  lab().MustExec("node2", {"sed", "-i", "/^bootstrap:/d", "/etc/zcluster/agent.yaml"});
  lab().MustRun({"agent", "node2", "restart"});
}

TEST_F(CreatePassword, IsNotSentWithoutAFingerprint) {
  const Outcome refused = Create({"--password-stdin"}, absl::StrCat(kPassword, "\n"));
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--fingerprint"));
}

// Somebody with a key of his own stands where the operator believes the other node to be, and
// writes down all that he can read.
class ManInTheMiddle : public CreatePassword {
 protected:
  static void SetUpTestSuite() { CreatePassword::SetUpTestSuite(); }
  void SetUp() override {
    CreatePassword::SetUp();
    lab().MustExec(
        "client",
        {"sh", "-c",
         "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
         "-subj /CN=x -keyout /tmp/m.key -out /tmp/m.crt 2>/dev/null && "
         "(setsid openssl s_server -accept 7701 -cert /tmp/m.crt -key /tmp/m.key -alpn h2 "
         "-verify 1 -quiet </dev/zero >/tmp/heard 2>/dev/null & echo $! >/tmp/m.pid)"});
    ASSERT_TRUE(WaitUntil(kLong, [] {
      return lab().Exec("client", {"sh", "-c", "ss -ltn | grep -q :7701"}).code == 0;
    }));
  }
  void TearDown() override {
    lab().Exec("client", {"sh", "-c", "kill $(cat /tmp/m.pid)"});
    CreatePassword::TearDown();
  }
  static void ExpectNothingHeard() {
    EXPECT_EQ(lab().Read("client", {"cat", "/tmp/heard"}), "");
    EXPECT_TRUE(IsBare("node1") && IsBare("node2"));
  }
};

TEST_F(ManInTheMiddle, HearsNothingOfATokenAndGetsNowhere) {
  const Outcome refused =
      Create({"--bootstrap", "10.10.0.10:7701", "--token-stdin"}, Token() + "\n");
  EXPECT_EQ(refused.code, 4) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("has the fingerprint SHA256:"));
  ExpectNothingHeard();
}

TEST_F(ManInTheMiddle, HearsNothingOfAPasswordAndGetsNowhere) {
  const Outcome refused = ByPassword(kPassword, {"--bootstrap", "10.10.0.10:7701"});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("SHA256:"));
  ExpectNothingHeard();
}

}  // namespace
}  // namespace zcluster::lab
