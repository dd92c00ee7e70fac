// SPDX-License-Identifier: Apache-2.0
// The backup's kernel holds other connections than the master's, and nobody was told: somebody
// typed `conntrack -D` there. `zctl conntrack verify` names what differs, under load, and mends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kEqual = 0, kDifferent = 7;

class ConntrackVerify : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("ctverify"); }

  static Outcome Verify(const std::string& node, std::vector<std::string> words = {}) {
    std::vector<std::string> argv{"zctl", "conntrack", "verify"};
    argv.insert(argv.end(), words.begin(), words.end());
    return lab().Exec(node, argv);
  }
  static YAML::Node VerifyJson(const std::string& node) {
    return ParseJson(Verify(node, {"-o", "json"}).out);
  }

  // The clients' ports of the connections through the VIP that a node's kernel holds established.
  static std::vector<std::string> Ports(const std::string& node) {
    std::vector<std::string> ports;
    const std::string list = lab().Read(node, {"conntrack", "-L", "-p", "tcp", "--orig-dst",
                                               "10.10.0.100", "--state", "ESTABLISHED"});
    for (absl::string_view line : absl::StrSplit(list, '\n')) {
      for (absl::string_view word : absl::StrSplit(line, ' ')) {
        if (!absl::ConsumePrefix(&word, "sport=")) continue;
        ports.emplace_back(word);
        break;
      }
    }
    return ports;
  }
};

TEST_F(ConntrackVerify, NamesWhatDiffersAndMendsIt) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(200), connections6 = Hold(20, "[fd10::100]"), probe = Probe();
  AwaitReplicated(master, 220);
  const std::vector<std::string> ports = Ports(backup);
  ASSERT_GE(ports.size(), 20u);
  Traffic requests = Requests(200);

  for (const std::string& node : {master, backup}) {
    const Outcome outcome = Verify(node);
    EXPECT_EQ(outcome.code, kEqual) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("equal: both kernels hold the same of"));
  }

  const std::vector<std::string> by_port{"-p", "tcp", "--orig-dst", "10.10.0.100", "--sport"};
  std::vector<std::string> end{"conntrack", "-D"}, mark{"conntrack", "-U", "-m", "77"};
  for (std::vector<std::string>* argv : {&end, &mark}) {
    argv->insert(argv->end(), by_port.begin(), by_port.end());
    argv->push_back(argv == &end ? ports[0] : ports[1]);
  }
  lab().MustExec(backup, end);
  lab().MustExec(backup, mark);
  for (const std::string& node : {master, backup}) {
    const Outcome outcome = Verify(node);
    EXPECT_EQ(outcome.code, kDifferent) << outcome.out << outcome.err;
    EXPECT_THAT(outcome.out,
                AllOf(HasSubstr("different: 2 of"), HasSubstr(absl::StrCat(":", ports[0], " -> ")),
                      HasSubstr(absl::StrCat("missing on ", backup)),
                      HasSubstr(absl::StrCat(":", ports[1], " -> ")),
                      HasSubstr(absl::StrCat("mark 0x0 on ", master, ", 0x4d on ", backup))));
  }

  const Outcome mended = Verify(backup, {"--repair"});
  EXPECT_EQ(mended.code, kEqual) << mended.out << mended.err;
  for (const std::string& node : {master, backup}) {
    const YAML::Node verified = VerifyJson(node);
    EXPECT_TRUE(verified["equal"].as<bool>()) << verified;
    EXPECT_GE(verified["master"]["translated"].as<int>(), 220);
  }

  // And it is true: the connections go on where they were mended.
  EXPECT_EQ(requests.Stop()["failed"].as<int>(), 0);
  const int64_t term = Term(backup);
  lab().MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(kLong, [&] { return Term(backup) > term; }));
  AwaitAnswers(probe);
  ExpectAllAlive(connections, 200);
  ExpectAllAlive(connections6, 20);
  const Outcome alone = Verify(backup);
  EXPECT_EQ(alone.code, 1) << alone.out;
  EXPECT_THAT(alone.err, HasSubstr("there are no two tables that should be equal right now"));
  lab().MustRun({"revive", master});
}

TEST_F(ConntrackVerify, ANodesConnectionsAreListedCountedAndGrouped) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Traffic connections = Hold(60);
  AwaitReplicated(master, 60);
  for (const std::string& node : {master, backup}) {
    const Outcome listed =
        lab().Exec(node, {"zctl", "conntrack", "list", "--nat", "--address", "10.10.0.100",
                          "--port", "80", "--state", "ESTABLISHED", "--limit", "5"});
    EXPECT_EQ(listed.code, 0) << listed.err;
    const std::vector<std::string> lines = absl::StrSplit(listed.out, '\n', absl::SkipEmpty());
    EXPECT_EQ(lines.size(), 5u) << listed.out;
    for (const std::string& line : lines) EXPECT_THAT(line, HasSubstr(" -> 10.10.0.100:80 => "));
    EXPECT_THAT(listed.err, HasSubstr("there are more"));

    const YAML::Node stats =
        ParseJson(lab().Exec(node, {"zctl", "conntrack", "stats", "-o", "json"}).out);
    int translated = 0;
    for (const auto& group : stats["groups"])
      translated += group["class"].as<std::string>() == "translated" ? group["flows"].as<int>() : 0;
    EXPECT_GE(translated, 60) << stats;
    EXPECT_TRUE(stats["replication"]["synchronised"].as<bool>()) << stats;
    EXPECT_EQ(stats["replication"]["master"].as<bool>(), node == master) << stats;

    const YAML::Node top =
        ParseJson(lab()
                      .Exec(node, {"zctl", "conntrack", "top", "--by", "service", "--port", "80",
                                   "-o", "json", "--every", "1s"})
                      .out);
    EXPECT_EQ(top["rows"][0]["address"].as<std::string>(), "10.10.0.100") << top;
    EXPECT_GE(top["rows"][0]["flows"].as<int>(), 60) << top;
  }
}

}  // namespace
}  // namespace zcluster::lab
