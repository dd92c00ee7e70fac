// SPDX-License-Identifier: Apache-2.0
// Commands: what the catalogue names runs on the master, then on the backup, and both outputs are
// shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

using testing::HasSubstr;

class Command : public Scenario {
 protected:
  static void SetUpTestSuite() { Raise("command"); }
};

TEST_F(Command, RunsOnBothAndShowsBothOutputs) {
  for (const char* node : {"node1", "node2"}) {
    Outcome outcome = lab().Exec(node, {"zctl", "run", "hostname"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("node1"));
    EXPECT_THAT(outcome.out, HasSubstr("node2"));
  }
  const std::string master = lab().Master();
  YAML::Node results = ParseJson(
      lab().Exec(master, {"zctl", "run", "say", "word=hello", "-o", "json"}).out)["results"];
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0]["node"].as<std::string>(), master);
  EXPECT_EQ(results[1]["node"].as<std::string>(), Lab::Peer(master));
  for (const YAML::Node& result : results) {
    EXPECT_EQ(result["stdout"].as<std::string>(), "hello\n");
    EXPECT_EQ(result["exit_code"].as<int>(), 0);
  }
}

TEST_F(Command, ThatFailsSaysSo) {
  EXPECT_EQ(lab().Exec(lab().Master(), {"zctl", "run", "fail"}).code, 1);
}

TEST_F(Command, ThatIsUnknownNamesWhatExists) {
  Outcome outcome = lab().Exec(lab().Master(), {"zctl", "run", "nosuch"});
  EXPECT_NE(outcome.code, 0);
  for (const char* name : {"hostname", "say", "fail"}) EXPECT_THAT(outcome.err, HasSubstr(name));
}

TEST_F(Command, RefusesAnArgumentThatDoesNotMatch) {
  Outcome outcome = lab().Exec(lab().Master(), {"zctl", "run", "say", "word=$(reboot)"});
  EXPECT_NE(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("[a-z]{1,20}"));
  EXPECT_NE(lab().Exec(lab().Master(), {"zctl", "run", "say", "wort=hello"}).code, 0);
}

TEST_F(Command, WithThePeerAwaySaysSo) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  lab().MustRun({"kill", backup});
  EXPECT_TRUE(WaitUntil(kLong, [&] { return lab().Node(master, "remote").status == "GREY"; }));
  Outcome outcome = lab().Exec(master, {"zctl", "run", "hostname"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr(backup));
  lab().MustRun({"revive", backup});
}

}  // namespace
}  // namespace zcluster::lab
