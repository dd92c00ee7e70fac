// SPDX-License-Identifier: Apache-2.0
// zctl cluster create, by flags and on a terminal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include "common/file.h"
#include "tests/ctl/invoke.h"
#include "tests/ctl/screen.h"

namespace zcluster::ctl {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;

constexpr char kToken[] = "zt1.a-token-that-nobody-may-see";
constexpr char kPassword[] = "swordfish-secret-7";
constexpr char kFingerprint[] = "SHA256:0123456789012345678901234567890123456789012";
constexpr char kOther[] = "SHA256:abcdefghijabcdefghijabcdefghijabcdefghijabc";

class CreateTest : public CtlTest {
 protected:
  void SetUp() override {
    agent_.fingerprint = kFingerprint;
    agent_.AddStep("reached 192.0.2.2", 12);
    agent_.AddStep("both nodes are GREEN", 3200);
    AddAddress("192.0.2.1/24", "eth0", "");
    AddAddress("127.0.0.1/8", "lo", "a loopback interface");
  }
  void AddAddress(const std::string& address, const std::string& interface,
                  const std::string& refused) {
    auto& added = *agent_.interfaces.add_addresses();
    added.set_address(address);
    added.set_interface(interface);
    added.set_refused(refused);
  }
  Outcome Create(std::vector<std::string> words, const std::string& input) {
    words.insert(words.begin(), {"cluster", "create"});
    return Ask(words, input);
  }
  std::vector<std::string> OnScreen(std::vector<std::string> words) {
    words.insert(words.begin(), {"--socket", agent_.socket(), "cluster", "create"});
    return words;
  }
};

// ---- by flags

TEST_F(CreateTest, ByFlagsNeedsNoTerminal) {
  const Outcome outcome =
      Create({"--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2", "--token-stdin"},
             std::string(kToken) + "\n");
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_THAT(outcome.out, MatchesRegex("    12 ms  reached 192.0.2.2\n"
                                        "  3200 ms  both nodes are GREEN\n"
                                        "the cluster is configured and healthy in [0-9.]+ m?s\n"));
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(agent_.create.local_ip(), "192.0.2.1");
  EXPECT_EQ(agent_.create.remote_ip(), "192.0.2.2");
  EXPECT_EQ(agent_.create.token(), kToken);
  EXPECT_THAT(agent_.calls, ElementsAre("Create"));
}

TEST_F(CreateTest, EveryFlagReachesTheAgent) {
  const Outcome outcome = Create({"--local-ip",  "192.0.2.1",      "--remote-ip",
                                  "192.0.2.2",   "--token-stdin",  "--name",
                                  "web",         "--vip",          "192.0.2.10/24",
                                  "--vip",       "2001:db8::1/64", "--router-id",
                                  "7",           "--root",         "/etc/haproxy",
                                  "--root",      "/etc/nginx",     "--local-link",
                                  "10.9.9.1",    "--remote-link",  "10.9.9.2",
                                  "--bootstrap", "10.9.9.2:7701",  "--check-interval",
                                  "200ms",       "--failback",     "PREFERRED",
                                  "--multicast"},
                                 kToken);
  ASSERT_EQ(outcome.code, kOk) << outcome.err;
  const v1::CreateRequest& request = agent_.create;
  EXPECT_EQ(request.name(), "web");
  EXPECT_THAT(request.vips(), ElementsAre("192.0.2.10/24", "2001:db8::1/64"));
  EXPECT_EQ(request.router_id(), 7u);
  EXPECT_TRUE(request.multicast());
  EXPECT_THAT(request.roots(), ElementsAre("/etc/haproxy", "/etc/nginx"));
  EXPECT_EQ(request.local_link(), "10.9.9.1");
  EXPECT_EQ(request.remote_link(), "10.9.9.2");
  EXPECT_EQ(request.bootstrap(), "10.9.9.2:7701");
  EXPECT_EQ(request.check_interval().nanos(), 200000000);
  EXPECT_EQ(request.failback(), v1::FAILBACK_PREFERRED);
}

TEST_F(CreateTest, APasswordGoesWithItsFingerprint) {
  const Outcome outcome = Create({"--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2",
                                  "--password-stdin", "--fingerprint", kFingerprint},
                                 std::string(kPassword) + "\nmore\n");
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(agent_.create.password(), kPassword);
  EXPECT_EQ(agent_.create.fingerprint(), kFingerprint);
  EXPECT_EQ(agent_.probe.remote(), "192.0.2.2");
}

TEST_F(CreateTest, AnotherFingerprintEndsItBeforeAnySecretIsRead) {
  agent_.fingerprint = kOther;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const UniqueFd input(ends[0]), other_end(ends[1]);
  const std::string secret = std::string(kPassword) + "\n";
  ASSERT_EQ(write(other_end.get(), secret.data(), secret.size()),
            static_cast<ssize_t>(secret.size()));
  std::ostringstream out, err;
  const int code =
      Zctl({"--socket", agent_.socket(), "cluster", "create", "--local-ip", "192.0.2.1",
            "--remote-ip", "192.0.2.2", "--password-stdin", "--fingerprint", kFingerprint},
           out, err, -1, input.get());
  EXPECT_EQ(code, kFailed);
  EXPECT_THAT(err.str(), AllOf(HasSubstr("another node answers at 192.0.2.2"), HasSubstr(kOther)));
  EXPECT_THAT(agent_.calls, ElementsAre("Probe"));
  int unread = 0;
  ASSERT_EQ(ioctl(input.get(), FIONREAD, &unread), 0);
  EXPECT_EQ(unread, static_cast<int>(secret.size()));
}

TEST_F(CreateTest, AsJsonTellsStepsAndEnd) {
  EXPECT_EQ(
      Create({"--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2", "--token-stdin", "-o", "json"},
             kToken)
          .out,
      "{\"steps\": [{\"what\": \"reached 192.0.2.2\", \"ms\": 12}, {\"what\": \"both nodes "
      "are GREEN\", \"ms\": 3200}], \"ok\": true, \"error\": \"\"}\n");
}

TEST_F(CreateTest, AFailedStepIsToldAsTheAgentSaysIt) {
  agent_.ends["Create"] = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "the token has expired");
  const Outcome outcome =
      Create({"--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2", "--token-stdin"}, kToken);
  EXPECT_EQ(outcome.code, kNotPermitted);
  EXPECT_EQ(outcome.err, "zctl: the token has expired\n");
}

struct Refused {
  std::vector<std::string> words;
  const char* message;
};

class CreateRefuses : public CreateTest, public testing::WithParamInterface<Refused> {};

TEST_P(CreateRefuses, SayingWhatIsMissing) {
  const Outcome outcome = Create(GetParam().words, kToken);
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr(GetParam().message));
  EXPECT_THAT(outcome.err, Not(HasSubstr(kToken)));
  EXPECT_THAT(agent_.calls, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    WithoutATerminal, CreateRefuses,
    testing::Values(
        Refused{{}, "--token-stdin or --password-stdin"},
        Refused{{"--token-stdin"}, "--local-ip is missing"},
        Refused{{"--token-stdin", "--local-ip", "192.0.2.1"}, "--remote-ip is missing"},
        Refused{{"--token-stdin", "--password-stdin"}, "keep one"},
        Refused{{"--password-stdin", "--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2"},
                "--password-stdin needs --fingerprint"},
        Refused{{"--token-stdin", "--fingerprint", "SHA256:x"}, "'SHA256:x' is not one"},
        Refused{{"--token-stdin", "--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2",
                 "--router-id", "256"},
                "--router-id: '256' is not a whole number from 1 to 255"},
        Refused{{"--token-stdin", "--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2",
                 "--check-interval", "5"},
                "--check-interval: '5' is not a time"},
        Refused{{"--token-stdin", "--local-link", "10.9.9.1"}, "two ends"}));

TEST_F(CreateTest, AnEmptyTokenIsNone) {
  const Outcome outcome =
      Create({"--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2", "--token-stdin"}, "\n");
  EXPECT_EQ(outcome.code, kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("the join token is empty"));
  EXPECT_THAT(agent_.calls, Not(Contains("Create")));
}

// ---- on a terminal

TEST_F(CreateTest, OnATerminalAsksForWhatIsMissing) {
  Screen screen(OnScreen({}));
  ASSERT_TRUE(screen.Shows("1  192.0.2.1/24  eth0"));
  ASSERT_TRUE(screen.Shows("127.0.0.1/8  lo  a loopback interface"));
  ASSERT_TRUE(screen.Shows("[192.0.2.1]: "));
  screen.Type("\n");
  ASSERT_TRUE(screen.Shows("Address of the other node: "));
  screen.Type("192.0.2.2\n");
  ASSERT_TRUE(screen.Shows("Join token"));
  ASSERT_TRUE(screen.Shows("password): "));
  EXPECT_FALSE(screen.Echoes());
  screen.Type(std::string(kToken) + "\n");
  ASSERT_TRUE(screen.Shows("the cluster is configured and healthy in "));
  EXPECT_EQ(screen.Ends(), kOk);
  EXPECT_THAT(screen.seen(), Not(HasSubstr(kToken)));
  EXPECT_EQ(agent_.create.local_ip(), "192.0.2.1");
  EXPECT_EQ(agent_.create.remote_ip(), "192.0.2.2");
  EXPECT_EQ(agent_.create.token(), kToken);
}

TEST_F(CreateTest, OfSeveralAddressesOneMustBeChosen) {
  AddAddress("10.0.0.1/8", "eth1", "");
  Screen screen(OnScreen({"--remote-ip", "10.0.0.2", "--yes"}));
  ASSERT_TRUE(screen.Shows("[1-2]: "));
  screen.Type("\n");
  ASSERT_TRUE(screen.Shows("'' is none of them"));
  ASSERT_TRUE(screen.Shows("[1-2]: "));
  screen.Type("127.0.0.1\n");
  ASSERT_TRUE(screen.Shows("'127.0.0.1' is none of them"));
  ASSERT_TRUE(screen.Shows("[1-2]: "));
  screen.Type("2\n");
  ASSERT_TRUE(screen.Shows("password): "));
  screen.Type(std::string(kToken) + "\n");
  EXPECT_EQ(screen.Ends(), kOk);
  EXPECT_EQ(agent_.create.local_ip(), "10.0.0.1");
}

TEST_F(CreateTest, ANodeWithoutAnAddressIsToldSo) {
  agent_.interfaces.clear_addresses();
  AddAddress("127.0.0.1/8", "lo", "a loopback interface");
  Screen screen(OnScreen({}));
  ASSERT_TRUE(screen.Shows("a loopback interface"));
  ASSERT_TRUE(screen.Shows("no address that a pair can be made on"));
  EXPECT_EQ(screen.Ends(), kFailed);
}

class PasswordTest : public CreateTest {
 protected:
  std::vector<std::string> Words(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--local-ip", "192.0.2.1", "--remote-ip", "192.0.2.2"});
    return OnScreen(more);
  }
};

TEST_F(PasswordTest, IsAskedTwiceAfterTheFingerprintWasConfirmed) {
  Screen screen(Words());
  ASSERT_TRUE(screen.Shows("password): "));
  screen.Type("\n");
  ASSERT_TRUE(screen.Shows(kFingerprint));
  ASSERT_TRUE(screen.Shows("Is it the same? [y/N] "));
  EXPECT_TRUE(screen.Echoes());
  screen.Type("y\n");
  ASSERT_TRUE(screen.Shows("Root password of 192.0.2.2: "));
  EXPECT_FALSE(screen.Echoes());
  screen.Type(std::string(kPassword) + "\n");
  ASSERT_TRUE(screen.Shows("The same again: "));
  EXPECT_FALSE(screen.Echoes());
  screen.Type(std::string(kPassword) + "\n");
  EXPECT_EQ(screen.Ends(), kOk);
  EXPECT_THAT(screen.seen(), Not(HasSubstr(kPassword)));
  EXPECT_EQ(agent_.create.password(), kPassword);
  EXPECT_EQ(agent_.create.fingerprint(), kFingerprint);
}

TEST_F(PasswordTest, IsNotAskedForUnlessTheFingerprintIsConfirmed) {
  for (const std::string no : {"\n", "n\n", "yep\n"}) {
    Screen screen(Words());
    ASSERT_TRUE(screen.Shows("password): "));
    screen.Type("\n");
    ASSERT_TRUE(screen.Shows("[y/N] "));
    screen.Type(no);
    ASSERT_TRUE(screen.Shows("not confirmed; nothing was told"));
    EXPECT_EQ(screen.Ends(), kUnconfirmed);
    EXPECT_THAT(screen.seen(), Not(HasSubstr("Root password")));
    EXPECT_THAT(agent_.calls, Not(Contains("Create")));
  }
}

TEST_F(PasswordTest, YesDoesNotConfirmAFingerprint) {
  Screen screen(Words({"--yes"}));
  ASSERT_TRUE(screen.Shows("password): "));
  screen.Type("\n");
  ASSERT_TRUE(screen.Shows("[y/N] "));
  screen.Type("\n");
  EXPECT_EQ(screen.Ends(), kUnconfirmed);
}

TEST_F(PasswordTest, NeedsNoQuestionWithAFingerprintThatIsRight) {
  Screen screen(Words({"--fingerprint", kFingerprint}));
  ASSERT_TRUE(screen.Shows("password): "));
  screen.Type("\n");
  ASSERT_TRUE(screen.Shows("Root password of 192.0.2.2: "));
  screen.Type(std::string(kPassword) + "\n");
  ASSERT_TRUE(screen.Shows("The same again: "));
  screen.Type(std::string(kPassword) + "\n");
  EXPECT_EQ(screen.Ends(), kOk);
  EXPECT_THAT(screen.seen(), Not(HasSubstr("[y/N]")));
}

TEST_F(PasswordTest, IsAskedAgainIfTheTwoDifferAndGivenUpAfterThree) {
  Screen screen(Words({"--fingerprint", kFingerprint}));
  ASSERT_TRUE(screen.Shows("password): "));
  screen.Type("\n");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(screen.Shows("Root password of 192.0.2.2: "));
    screen.Type(std::string(kPassword) + "\n");
    ASSERT_TRUE(screen.Shows("The same again: "));
    screen.Type("something else\n");
    ASSERT_TRUE(screen.Shows("the two differ"));
  }
  ASSERT_TRUE(screen.Shows("no password was given"));
  EXPECT_EQ(screen.Ends(), kUnconfirmed);
  EXPECT_THAT(agent_.calls, Not(Contains("Create")));
}

TEST_F(PasswordTest, AnInterruptFindsTheEchoAsItWas) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Screen screen(Words());
    ASSERT_TRUE(screen.Shows("password): "));
    ASSERT_FALSE(screen.Echoes());
    if (signal == SIGINT) {
      screen.Type("\x03");
    } else {
      kill(screen.pid(), signal);
    }
    EXPECT_EQ(screen.Ends(), 128 + signal);
    EXPECT_TRUE(screen.Echoes());
    EXPECT_THAT(agent_.calls, Not(Contains("Create")));
  }
}

std::string ProcessFile(pid_t pid, const std::string& name) {
  const auto text = ReadFile(absl::StrCat("/proc/", pid, "/", name));
  EXPECT_TRUE(text.ok()) << text.status();
  return text.value_or("");
}

TEST_F(PasswordTest, IsInNeitherTheCommandLineNorTheEnvironmentNorTheOutput) {
  Screen screen(Words({"--password-stdin"}));
  ASSERT_TRUE(screen.Shows("[y/N] "));
  agent_.hangs = true;  // from now on
  screen.Type("y\n");
  ASSERT_TRUE(screen.Shows("Root password of 192.0.2.2: "));
  screen.Type(std::string(kPassword) + "\n");
  ASSERT_TRUE(screen.Shows("both nodes are GREEN"));  // and the end of Create does not come
  const std::string words = ProcessFile(screen.pid(), "cmdline");
  EXPECT_THAT(words, AllOf(HasSubstr("--password-stdin"), Not(HasSubstr(kPassword))));
  EXPECT_THAT(ProcessFile(screen.pid(), "environ"), Not(HasSubstr(kPassword)));
  EXPECT_THAT(screen.seen(), Not(HasSubstr(kPassword)));
  EXPECT_EQ(agent_.create.password(), kPassword);
}

}  // namespace
}  // namespace zcluster::ctl
