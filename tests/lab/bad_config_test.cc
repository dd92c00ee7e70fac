// SPDX-License-Identifier: Apache-2.0
// A wrong configuration is refused with exit code 2 and the place, beside a pair that goes on
// serving.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

struct Case {
  const char* name;
  const char* file;   // which of the two is changed
  const char* edit;   // by sed
  const char* where;  // file:line: field, as it must be said
};

class BadConfig : public Scenario, public testing::WithParamInterface<Case> {
 protected:
  static void SetUpTestSuite() { Raise("badconf"); }
};

TEST_P(BadConfig, IsRefusedWithItsPlace) {
  const Case& bad = GetParam();
  lab().MustExec("node1",
                 {"sh", "-c",
                  absl::StrCat("cp /etc/zcluster/agent.yaml /etc/zcluster/pair.yaml /tmp/ && ",
                               "sed -i '", bad.edit, "' /tmp/", bad.file)});
  Outcome outcome =
      lab().Exec("node1", {"zagent", "--config", "/tmp/agent.yaml", "--pair", "/tmp/pair.yaml",
                           "--state-dir", "/tmp/state", "--run-dir", "/tmp/run"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, testing::HasSubstr(bad.where));
  EXPECT_NE(lab().Exec("node1", {"test", "-e", "/tmp/state"}).code, 0) << "it had begun already";
}

INSTANTIATE_TEST_SUITE_P(
    Refused, BadConfig,
    testing::Values(Case{"UnknownKey", "agent.yaml", "s/^listen:/lisen:/", "agent.yaml:3: lisen"},
                    Case{"MissingKey", "agent.yaml", "/^node:/d", "agent.yaml:1: node: is missing"},
                    Case{"WrongType", "pair.yaml", "s/router_id: 51/router_id: many/",
                         "pair.yaml:2: vrrp.router_id"},
                    Case{"OutOfRange", "pair.yaml", "s/interval: 100ms/interval: 5ms/",
                         "pair.yaml:2: vrrp.advert_interval"},
                    Case{"NoYaml", "pair.yaml", "1s/.*/name: [/", "pair.yaml:"}),
    [](const testing::TestParamInfo<Case>& tested) { return std::string(tested.param.name); });

TEST_F(BadConfig, AMissingFileOfThePairIsNamed) {
  Outcome outcome = lab().Exec("node1", {"zagent", "--pair", "/etc/zcluster/nosuch.yaml"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, testing::HasSubstr("/etc/zcluster/nosuch.yaml"));
}

}  // namespace
}  // namespace zcluster::lab
