// SPDX-License-Identifier: Apache-2.0
// Certificates that must not be trusted: the link stays down, both nodes say why, the VIPs stay
// where they are; with a good one the pair is whole again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/lab/support/scenario.h"

namespace zcluster::lab {
namespace {

struct Case {
  const char* name;
  std::vector<std::string> flags;
  const char* said;  // by the node that refuses, in `zctl nodes`
};

class Certificates : public Scenario, public testing::WithParamInterface<Case> {
 protected:
  static void SetUpTestSuite() { Raise("certs"); }

  static void Give(const std::string& node, std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"certificate", node});
    lab().MustRun(flags);
    lab().MustRun({"agent", node, "restart"});
  }
};

TEST_P(Certificates, ThatAreBadAreRefusedByName) {
  const std::string master = lab().Master(), backup = Lab::Peer(master);
  Give(backup, GetParam().flags);
  EXPECT_TRUE(WaitUntil(kLong,
                        [&] {
                          const Lab::NodeLine remote = lab().Node(master, "remote");
                          return remote.status == "GREY" &&
                                 remote.message.find(GetParam().said) != std::string::npos;
                        }))
      << "said: " << lab().Node(master, "remote").message;
  EXPECT_EQ(lab().Node(backup, "remote").status, "GREY");
  EXPECT_TRUE(lab().HoldsAll(master));
  Give(backup, {});
  AwaitReady();
  EXPECT_TRUE(lab().HoldsAll(master));
}

INSTANTIATE_TEST_SUITE_P(
    Bad, Certificates,
    testing::Values(Case{"Expired", {"--expired"}, "expired"},
                    Case{"ForAnotherName", {"--name", "stranger"}, "zcluster://lab/node/stranger"},
                    Case{"OfAnotherCa", {"--foreign"}, "CA"}),
    [](const testing::TestParamInfo<Case>& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace zcluster::lab
