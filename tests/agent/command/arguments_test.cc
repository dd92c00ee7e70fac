// SPDX-License-Identifier: Apache-2.0
#include "agent/command/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::command {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<ArgumentSpec> kSpecs{{"unit", "[a-z-]+"}, {"count", "[0-9]{1,3}"}};

TEST(CheckValues, TakesWhatFits) {
  EXPECT_TRUE(CheckValues(kSpecs, {{"unit", "haproxy"}, {"count", "7"}}).ok());
  EXPECT_TRUE(CheckValues({}, {}).ok());
}

struct Refused {
  const char* name;
  Values values;
  const char* said;
};

class CheckValuesRefuses : public testing::TestWithParam<Refused> {};

TEST_P(CheckValuesRefuses, AndSaysWhy) {
  const absl::Status status = CheckValues(kSpecs, GetParam().values);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Values, CheckValuesRefuses,
    testing::Values(
        Refused{"Missing", {{"unit", "a"}}, "'count' is missing; it takes unit, count"},
        Refused{"Unknown",
                {{"unit", "a"}, {"count", "1"}, {"x", "1"}},
                "no argument 'x'; it takes unit, count"},
        Refused{"PartOfThePattern", {{"unit", "a; reboot"}, {"count", "1"}}, "pattern [a-z-]+"},
        Refused{"Newline", {{"unit", "a\n"}, {"count", "1"}}, "'unit' must match"},
        Refused{"Nul", {{"unit", std::string("a\0", 2)}, {"count", "1"}}, "'unit' must match"},
        Refused{"TooLong", {{"unit", std::string(5000, 'a')}, {"count", "1"}}, "at most 4096"}),
    [](const auto& param) { return param.param.name; });

TEST(CheckTemplate, RefusesWhatIsNotWhole) {
  EXPECT_TRUE(CheckTemplate(kSpecs, {"/bin/x", "--unit={unit}", "{count}", "{print $1}"}).ok());
  EXPECT_THAT(std::string(CheckTemplate(kSpecs, {"/bin/x", "{units}"}).message()),
              HasSubstr("{units}"));
  EXPECT_THAT(std::string(CheckTemplate({{"a", "("}}, {"/bin/x"}).message()),
              HasSubstr("pattern ("));
  EXPECT_FALSE(CheckTemplate({{"a", "."}, {"a", "."}}, {"/bin/x"}).ok());
}

TEST(Substitute, NeverLooksIntoAValueNorSplitsIt) {
  EXPECT_THAT(Substitute({"/bin/x", "--{unit}={count}", "{}", "{print $1}", "{{unit}}"},
                         {{"unit", "{count} a"}, {"count", "7"}}),
              ElementsAre("/bin/x", "--{count} a=7", "{}", "{print $1}", "{{count} a}"));
}

}  // namespace
}  // namespace zcluster::command
