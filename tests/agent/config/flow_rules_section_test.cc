// SPDX-License-Identifier: Apache-2.0
#include "agent/config/flow_rules_section.h"

#include <netinet/in.h>

#include "absl/strings/str_cat.h"
#include "tests/agent/config/files.h"

namespace zcluster::config {
namespace {

using testing::HasSubstr;

class FlowRulesSectionTest : public ConfigTest {
 protected:
  absl::StatusOr<PairSettings> With(absl::string_view conntrack) const {
    return ParsePair("pair.yaml", absl::StrCat(kPair, conntrack), *Agent());
  }
  std::string Problem(absl::string_view rule) const {
    return std::string(
        With(absl::StrCat("conntrack:\n  skip:\n    - {protocol: udp}\n    - ", rule, "\n"))
            .status()
            .message());
  }
};

TEST_F(FlowRulesSectionTest, MayBeAbsent) {
  ASSERT_TRUE(Pair().ok());
  EXPECT_EQ(Pair()->flow_rules, FlowRules());
}

TEST_F(FlowRulesSectionTest, IsReadAsItStands) {
  const auto pair = With(R"(conntrack:
  only:
    - {protocol: tcp, port: "80"}
    - {zone: 0}
  skip:
    - {address: 10.0.0.0/8, source: 192.0.2.1, destination: "2001:db8::/32", source_port: 1-2, destination_port: "3", direction: REPLY}
    - {state: [SYN_SENT, UNREPLIED], mark: 0x1/0x3}
)");
  ASSERT_TRUE(pair.ok()) << pair.status();
  const FlowRules& rules = pair->flow_rules;
  ASSERT_EQ(rules.only.size(), 2u);
  EXPECT_EQ(rules.only[0].protocol, IPPROTO_TCP);
  EXPECT_EQ(rules.only[0].any.ports, (FlowRule::Ports{80, 80}));
  EXPECT_EQ(rules.only[1].zone, 0);
  ASSERT_EQ(rules.skip.size(), 2u);
  EXPECT_EQ(rules.skip[0].any.network.length, 8);
  EXPECT_EQ(rules.skip[0].source.network.length, 32);
  EXPECT_EQ(rules.skip[0].destination.network.family, AF_INET6);
  EXPECT_EQ(rules.skip[0].source.ports, (FlowRule::Ports{1, 2}));
  EXPECT_EQ(rules.skip[0].destination.ports, (FlowRule::Ports{3, 3}));
  EXPECT_EQ(rules.skip[0].direction, FlowRule::Direction::kReply);
  EXPECT_EQ(rules.skip[1].tcp_states, 2);
  EXPECT_TRUE(rules.skip[1].unreplied);
  EXPECT_EQ(rules.skip[1].mark_mask, 3u);
}

TEST_F(FlowRulesSectionTest, ErrorsNameTheirPlace) {
  EXPECT_THAT(Problem("{protocol: carrier}"),
              HasSubstr("conntrack.skip[1].protocol: is 'carrier'; expected tcp"));
  EXPECT_THAT(Problem("{address: here}"), HasSubstr("conntrack.skip[1].address: is 'here'"));
  EXPECT_THAT(Problem("{source: 10.0.0.1/33}"), HasSubstr("conntrack.skip[1].source"));
  EXPECT_THAT(Problem("{destination_port: 0}"),
              HasSubstr("conntrack.skip[1].destination_port: is '0'"));
  EXPECT_THAT(Problem("{state: [ESTABLISHED, HAPPY]}"),
              HasSubstr("conntrack.skip[1].state[1]: is 'HAPPY'"));
  EXPECT_THAT(Problem("{mark: red}"), HasSubstr("conntrack.skip[1].mark"));
  EXPECT_THAT(Problem("{zone: 65536}"),
              HasSubstr("conntrack.skip[1].zone: is 65536; expected 0 to 65535"));
  EXPECT_THAT(Problem("{direction: UP}"), HasSubstr("conntrack.skip[1].direction"));
  EXPECT_THAT(Problem("{colour: red}"), HasSubstr("unknown key"));
}

TEST_F(FlowRulesSectionTest, ARuleOfNothingWouldBeOfEverything) {
  EXPECT_THAT(Problem("{}"), HasSubstr("conntrack.skip[1]: says nothing of the connections"));
  EXPECT_THAT(Problem("{direction: REPLY}"), HasSubstr("says nothing of the connections"));
}

TEST_F(FlowRulesSectionTest, SixtyFourAreEnough) {
  std::string rules = "conntrack:\n  only:\n";
  for (int i = 0; i < 64; ++i) absl::StrAppend(&rules, "    - {zone: ", i, "}\n");
  EXPECT_TRUE(With(rules).ok());
  EXPECT_THAT(std::string(With(rules + "    - {zone: 64}\n").status().message()),
              HasSubstr("conntrack.only: has more than 64 rules"));
}

}  // namespace
}  // namespace zcluster::config
