// SPDX-License-Identifier: Apache-2.0
#include "controller/core/selector.h"

#include <gmock/gmock.h>

#include <random>

namespace zcluster::controller {
namespace {

using testing::HasSubstr;

v1::PairSummary Web() {
  v1::PairSummary pair;
  pair.set_name("web-1");
  pair.set_status(v1::STATUS_RED);
  pair.set_master("lb1");
  pair.add_nodes()->set_name("lb1");
  pair.add_nodes()->set_name("lb2");
  (*pair.mutable_labels())["env"] = "prod";
  (*pair.mutable_labels())["site"] = "b";
  (*pair.mutable_labels())["empty"] = "";
  return pair;
}

struct Case {
  const char* text;
  bool matches;
};

class Selects : public testing::TestWithParam<Case> {};

TEST_P(Selects, AsItReads) {
  const absl::StatusOr<Selector> selector = Selector::Parse(GetParam().text);
  ASSERT_TRUE(selector.ok()) << selector.status();
  EXPECT_EQ(selector->Matches(Web()), GetParam().matches) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Selector, Selects,
    testing::Values(Case{"", true}, Case{"  ", true}, Case{"env=prod", true},
                    Case{"env==prod", true}, Case{"env=test", false}, Case{"env!=test", true},
                    Case{"env!=prod", false}, Case{"tier!=test", true}, Case{"tier=test", false},
                    Case{"tier=", false}, Case{"empty=", true}, Case{"empty", true},
                    Case{"env", true}, Case{"!env", false}, Case{"!retired", true},
                    Case{"retired", false}, Case{"site in (a b)", true},
                    Case{"site in (a, b)", true}, Case{"site in(a)", false},
                    Case{"site notin (a c)", true}, Case{"site notin (a b)", false},
                    Case{"tier notin (a)", true}, Case{"status=RED", true},
                    Case{"status=red", true}, Case{"status!=GREEN", true},
                    Case{"status in (GREY ORANGE)", false}, Case{"ready=false", true},
                    Case{"ready", false}, Case{"!ready", true}, Case{"master=lb1", true},
                    Case{"master", true}, Case{"!master", false}, Case{"node=lb2", true},
                    Case{"node=lb3", false}, Case{"node!=lb2", false}, Case{"name=web-1", true},
                    Case{"name in (web-1 web-2)", true}, Case{" env = prod , site = b ", true},
                    Case{"env=prod,tier!=test,site in (a b),status=RED,ready=false,!retired", true},
                    Case{"env=prod,site=a", false}));

TEST(Selector, SaysWhereAndWhatWasExpected) {
  const std::pair<const char*, const char*> wrong[] = {
      {"env prod", "selector: at character 5 is 'prod'; expected '=', '!=', 'in (...)'"},
      {"env=prod,,x", "at character 10 is ',x'; expected a label's key"},
      {"env=prod,", "at character 10 is its end; expected a label's key"},
      {"=prod", "at character 1 is '=prod'; expected a label's key"},
      {"env>5", "at character 4 is '>5'"},
      {"env in (a", "at character 10 is its end; expected ')'"},
      {"env in ()", "at character 9 is ')'; expected at least one value"},
      {"env in (a;b)", "at character 10 is ';b)'; expected a value or ')'"},
      {"status=BLUE", "at character 8 is 'BLUE'; expected GREEN, RED, GREY or ORANGE"},
      {"ready=maybe", "at character 7 is 'maybe'; expected true or false"},
      {"a=b c", "at character 5 is 'c'; expected ',' or its end"},
      {"a=\x1b", "\\x1B"},
  };
  for (const auto& [text, expected] : wrong) {
    const absl::Status status = Selector::Parse(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(expected)) << text;
  }
}

TEST(Selector, IsBounded) {
  EXPECT_FALSE(Selector::Parse(std::string(5000, 'a')).ok());
  std::string many = "a";
  for (int i = 0; i < 64; ++i) many += ",a";
  EXPECT_FALSE(Selector::Parse(many).ok());
  std::string values = "a in (";
  for (int i = 0; i < 257; ++i) values += "x ";
  EXPECT_FALSE(Selector::Parse(values + ")").ok());
}

TEST(Selector, SurvivesAnyText) {
  std::mt19937 random(7);
  const std::string alphabet = "ab=!,() instatuRED\t\x7f-";
  int parsed = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (size_t left = random() % 14; left > 0; --left)
      text += alphabet[random() % alphabet.size()];
    const absl::StatusOr<Selector> selector = Selector::Parse(text);
    if (!selector.ok()) continue;
    ++parsed;
    selector->Matches(Web());
  }
  EXPECT_GT(parsed, 1000);
}

}  // namespace
}  // namespace zcluster::controller
