// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/canonical.h"

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

struct Case {
  const char* name;
  std::function<void(Flow&)> change;
  bool same;
};

std::string CaseName(const testing::TestParamInfo<Case>& tested) { return tested.param.name; }

class CanonicalForm : public testing::TestWithParam<Case> {};

TEST_P(CanonicalForm, IsTheSame) {
  Imprint imprint;
  const Flow flow = Natted(1);
  Flow other = flow;
  GetParam().change(other);
  const bool same = imprint.Of(Canonical(flow)) == imprint.Of(Canonical(other));
  EXPECT_EQ(same, GetParam().same);
}

INSTANTIATE_TEST_SUITE_P(
    Flow, CanonicalForm,
    testing::Values(
        Case{"AtAnotherTimeout", [](Flow& f) { f.timeout = 1; }, true},
        Case{"UnderAnotherId", [](Flow& f) { f.id = 77; }, true},
        Case{"WhenLiberal",
             [](Flow& f) {
               f.tcp.original_flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
               f.tcp.reply_flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
             },
             true},
        Case{"WithDataUnderWay",
             [](Flow& f) { f.tcp.reply_flags |= IP_CT_TCP_FLAG_DATA_UNACKNOWLEDGED; }, true},
        Case{"NotWithAnotherMark", [](Flow& f) { f.mark = 7; }, false},
        Case{"NotInAnotherZone", [](Flow& f) { f.key.zone = 7; }, false},
        Case{"NotWithAnotherStatus", [](Flow& f) { f.status &= ~uint32_t{IPS_ASSURED}; }, false},
        Case{"NotWithAnotherBackend", [](Flow& f) { f.reply.source = Ip("10.1.0.3"); }, false},
        Case{"NotWithAnotherPort", [](Flow& f) { f.reply.source_port = 1; }, false},
        Case{"NotInAnotherState", [](Flow& f) { f.tcp.state = TCP_CONNTRACK_FIN_WAIT; }, false},
        Case{"NotWithAnotherScale", [](Flow& f) { f.tcp.original_scale = 3; }, false}),
    CaseName);

TEST(Canonical, HasNoScaleThatIsNotInForce) {
  Flow offered = Natted(1);
  offered.tcp.reply_flags = 0;  // the other side has not answered yet
  Flow other = offered;
  other.tcp.original_scale = 0;
  Imprint imprint;
  const std::string bytes = imprint.Bytes(Canonical(offered));
  EXPECT_EQ(bytes, imprint.Bytes(Canonical(other)));
}

}  // namespace
}  // namespace zcluster::conntrack
