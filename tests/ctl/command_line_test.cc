// SPDX-License-Identifier: Apache-2.0
#include "ctl/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "ctl/verbs.h"

namespace zcluster::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

absl::StatusOr<CommandLine> ParseText(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  return Parse(VerbTable(), words);
}

TEST(CommandLine, TakesOptionsAnywhere) {
  for (const std::string text :
       {"-o json --socket /s --timeout 3s nodes", "nodes -o json --socket /s --timeout 3s",
        "nodes --output=json --socket=/s --timeout=3s"}) {
    const auto line = ParseText(text);
    ASSERT_TRUE(line.ok()) << text << ": " << line.status();
    EXPECT_EQ(line->verb->name, "nodes");
    EXPECT_EQ(line->format, Format::kJson);
    EXPECT_EQ(line->socket, "/s");
    EXPECT_EQ(line->timeout, absl::Seconds(3));
  }
}

TEST(CommandLine, HasDefaults) {
  const auto line = ParseText("nodes");
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->format, Format::kTable);
  EXPECT_FALSE(line->no_color);
  EXPECT_EQ(line->socket, "");
  EXPECT_FALSE(line->timeout.has_value());
  EXPECT_THAT(line->flags, testing::IsEmpty());
}

TEST(CommandLine, KnowsVerbsOfTwoWords) {
  const auto line = ParseText("maintenance --no-color enter --force -o table");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->verb->name, "maintenance enter");
  EXPECT_TRUE(line->no_color);
  EXPECT_THAT(line->flags, UnorderedElementsAre("--force"));
}

TEST(CommandLine, KnowsVerbsOfThreeWords) {
  const auto line = ParseText("fleet maintenance -o yaml enter web-1/lb1 --force list");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->verb->name, "fleet maintenance enter");
  EXPECT_THAT(line->words, ElementsAre("web-1/lb1", "list"));
  EXPECT_THAT(line->flags, UnorderedElementsAre("--force"));
  const auto group = ParseText("fleet maintenance");
  EXPECT_THAT(std::string(group.status().message()),
              HasSubstr("'fleet maintenance' wants one of: enter, start"));
  EXPECT_THAT(std::string(ParseText("fleet").status().message()),
              HasSubstr("'fleet' wants one of: list, show, watch, events, flows, token, label, "
                        "forget, switchover, maintenance, run"));
  EXPECT_THAT(std::string(ParseText("fleet maintenance entre").status().message()),
              HasSubstr("unknown verb 'fleet maintenance entre'; did you mean 'fleet maintenance "
                        "enter'?"));
  EXPECT_EQ(ParseText("fleet maintenance --help")->group, "fleet maintenance");
}

TEST(CommandLine, GivesTheVerbItsWords) {
  const auto line = ParseText("run nodes a=b c=--d -o json");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->verb->name, "run");
  EXPECT_THAT(line->words, ElementsAre("nodes", "a=b", "c=--d"));
}

TEST(CommandLine, GivesTheVerbItsValues) {
  const auto line = ParseText(
      "cluster configure --vip-add 192.0.2.1/24 --check-interval=200ms --vip-add 192.0.2.2/24 "
      "--dry-run");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->verb->name, "cluster configure");
  EXPECT_THAT(line->values.at("--vip-add"), ElementsAre("192.0.2.1/24", "192.0.2.2/24"));
  EXPECT_THAT(line->values.at("--check-interval"), ElementsAre("200ms"));
  EXPECT_EQ(line->values.count("--vip-remove"), 0u);
  EXPECT_THAT(line->flags, UnorderedElementsAre("--dry-run"));
}

TEST(CommandLine, AValueDoesNotTakeTheWordsBehindIt) {
  const auto line = ParseText("context add --address 192.0.2.1:7702 web --credential f");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_THAT(line->words, ElementsAre("web"));
}

TEST(CommandLine, AsksForHelpEvenWhereSomethingIsMissing) {
  for (const std::string text : {"--help", "nodes -h", "completion --help", "maintenance --help"}) {
    const auto line = ParseText(text);
    ASSERT_TRUE(line.ok()) << text << ": " << line.status();
    EXPECT_TRUE(line->help) << text;
  }
  EXPECT_EQ(ParseText("maintenance --help")->group, "maintenance");
}

struct Wrong {
  const char* text;
  const char* message;
};

class CommandLineRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(CommandLineRefuses, SayingWhatIsWrong) {
  const auto line = ParseText(GetParam().text);
  ASSERT_FALSE(line.ok()) << GetParam().text;
  EXPECT_EQ(line.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(line.status().message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Usage, CommandLineRefuses,
    testing::Values(
        Wrong{"node", "'node' wants one of: token, fingerprint, unlock; did you mean 'nodes'?"},
        Wrong{"statu", "unknown verb 'statu'; did you mean 'status'?"},
        Wrong{"xyzzy", "unknown verb 'xyzzy'; there are: nodes, reload"},
        Wrong{"xyzzy --x 1", "unknown verb 'xyzzy'"},
        Wrong{"maintenance", "'maintenance' wants one of: enter, start"},
        Wrong{"maintenance entr", "'maintenance entr'; did you mean 'maintenance enter'?"},
        Wrong{"switchover --forc", "unknown option '--forc'; did you mean '--force'?"},
        Wrong{"nodes --force", "unknown option '--force'"},
        Wrong{"nodes --sockt /x", "unknown option '--sockt'; did you mean '--socket'?"},
        Wrong{"nodes status", "'status' is one too many; usage: zctl nodes [OPTIONS]"},
        Wrong{"completion", "SHELL is missing"},
        Wrong{"completion fish", "'fish' is not one of: bash"},
        Wrong{"completion bash bash", "one too many"},
        Wrong{"nodes -o xml", "--output: 'xml' is not one of: table, json, yaml"},
        Wrong{"nodes --timeout 5", "'5' is not a time"},
        Wrong{"nodes --timeout 0s", "is not a time"}, Wrong{"nodes --timeout 25h", "at most 24h"},
        Wrong{"nodes --socket", "--socket"},
        Wrong{"nodes -o json -o yaml", "--output is given twice"},
        Wrong{"cluster", "'cluster' wants one of: create, describe"},
        Wrong{"cluster creat", "did you mean 'cluster create'?"},
        Wrong{"cluster create --name a --name b", "--name is given twice"},
        Wrong{"cluster create --failback ALWAYS",
              "--failback: 'ALWAYS' is not one of: KEEP, PREFERRED"},
        Wrong{"operator add", "NAME is missing"},
        Wrong{"operator add a --role root", "'root' is not one of: viewer, operator"}));

}  // namespace
}  // namespace zcluster::ctl
