// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/scope.h"

#include "tests/agent/conntrack/netns.h"
#include "tests/agent/conntrack/rule.h"
#include "zcluster/v1/comparison.pb.h"

namespace zcluster::conntrack {
namespace {

Filter LinkFilter() { return *Filter::Make({"10.7.0.1", "10.7.0.2"}); }

// The master is .1 and has the VIP, the backup is .2.
Scope Made() {
  return Scope(LinkFilter(), LocalAddresses({Ip("10.7.0.1"), Ip("192.0.2.10")}),
               LocalAddresses({Ip("10.7.0.2"), Ip("fd00::2")}));
}

struct Case {
  const char* name;
  Flow flow;
  FlowClass expected;
};

std::string CaseName(const testing::TestParamInfo<Case>& tested) { return tested.param.name; }

class ScopeOf : public testing::TestWithParam<Case> {};

TEST_P(ScopeOf, IsClassed) {
  const Scope scope = Made();
  EXPECT_EQ(scope.ClassOf(GetParam().flow), GetParam().expected);
  v1::ComparisonScope message;
  scope.Write(message);
  const absl::StatusOr<Scope> read = Scope::Read(message, LinkFilter());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->ClassOf(GetParam().flow), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Flow, ScopeOf,
    testing::Values(Case{"ThroughTheVip", Natted(1), FlowClass::kTranslated},
                    Case{"ThroughTheNode",
                         Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "203.0.113.1", 443)),
                         FlowClass::kForwarded},
                    Case{"OfAProxy",
                         Plain(Key(IPPROTO_TCP, "198.51.100.7", 1024, "192.0.2.10", 443)),
                         FlowClass::kEndsOnMaster},
                    Case{"ToTheBackup", Plain(Key(IPPROTO_TCP, "10.7.0.9", 1024, "10.7.0.2", 22)),
                         FlowClass::kEndsOnStandby},
                    Case{"OfTheBackup", Plain(Key(IPPROTO_UDP, "fd00::2", 1024, "fd00::53", 53)),
                         FlowClass::kEndsOnStandby},
                    Case{"OfTheLink", Plain(Key(IPPROTO_TCP, "10.7.0.1", 1024, "10.7.0.2", 7700)),
                         FlowClass::kOwn},
                    Case{"OfLoopback", Plain(Key(IPPROTO_TCP, "127.0.0.1", 1024, "127.0.0.1", 22)),
                         FlowClass::kOwn}),
    CaseName);

TEST(Scope, LeavesOutWhatTheRulesDo) {
  const Scope scope(*Filter::Make({"10.7.0.1", "10.7.0.2"}, {{}, {Rule("state", "ESTABLISHED")}}),
                    LocalAddresses(), LocalAddresses());
  Flow flow = Natted(1);
  EXPECT_EQ(scope.ClassOf(flow), FlowClass::kFiltered);
  EXPECT_FALSE(Scope::IsReplicated(FlowClass::kFiltered));
  flow.tcp.state = TCP_CONNTRACK_CLOSE_WAIT;
  EXPECT_EQ(scope.ClassOf(flow), FlowClass::kTranslated);
}

TEST(Scope, CountsEachClassByItself) {
  Counts counts;
  for (const FlowClass what :
       {FlowClass::kForwarded, FlowClass::kTranslated, FlowClass::kTranslated,
        FlowClass::kEndsOnMaster, FlowClass::kEndsOnStandby, FlowClass::kOwn, FlowClass::kFiltered,
        FlowClass::kFiltered}) {
    counts.Add(what);
  }
  EXPECT_EQ(counts, (Counts{1, 2, 1, 1, 1, 2}));
  v1::ClassCounts message;
  Write(counts, message);
  EXPECT_EQ(Read(message), counts);
}

TEST(Scope, RefusesWhatIsNoAddress) {
  v1::ComparisonScope message;
  message.add_standby_addresses("four");
  EXPECT_TRUE(absl::IsInvalidArgument(Scope::Read(message, LinkFilter()).status()));
}

TEST(Scope, RefusesTooManyAddresses) {
  v1::ComparisonScope message;
  for (int i = 0; i <= Scope::kMaxAddresses; ++i)
    message.add_master_addresses(std::string(16, 'x'));
  EXPECT_TRUE(absl::IsInvalidArgument(Scope::Read(message, LinkFilter()).status()));
}

}  // namespace
}  // namespace zcluster::conntrack
