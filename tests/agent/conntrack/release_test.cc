// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/release.h"

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

std::vector<Flow> Flows(const Netns& netns) {
  std::vector<Flow> flows;
  for (const auto& [text, flow] : Dump(netns)) flows.push_back(flow);
  return flows;
}

TEST(Release, GivesWhatIsHeldTheTimeoutOfItsStateAndGreAnEnd) {
  Netns netns;
  Flow held = Natted(0);
  Flow sctp = Sctp(Key(IPPROTO_SCTP, "198.51.100.7", 1024, "192.0.2.10", 3868));
  Flow gre = Plain(Key(IPPROTO_GRE, "198.51.100.7", 0, "192.0.2.10", 0));
  held.timeout = sctp.timeout = gre.timeout = kHoldTimeout;
  Flow own = Natted(1);
  own.timeout = 777;
  ASSERT_EQ(Change(netns, Verb::kCreate, {held, sctp, gre, own}), 0U);
  netns.Run([&] {
    absl::StatusOr<KernelWriter> writer = KernelWriter::Open();
    ASSERT_TRUE(writer.ok());
    Release(*writer, Flows(netns), Timeouts::Read());
  });
  std::map<std::string, Flow> table = Dump(netns);
  ASSERT_EQ(table.size(), 4U);
  EXPECT_NEAR(table[Describe(held)].timeout, 432000, 100);
  EXPECT_NEAR(table[Describe(sctp)].timeout, 210, 20);
  EXPECT_NEAR(table[Describe(gre)].timeout, kGreLife, 20);
  EXPECT_NEAR(table[Describe(own)].timeout, 777, 20);
}

}  // namespace
}  // namespace zcluster::conntrack
