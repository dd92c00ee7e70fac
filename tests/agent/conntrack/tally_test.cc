// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/tally.h"

#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

Options CountingOften() {
  Options options;
  options.node_name = "node1";
  options.own_addresses = {"10.7.0.1", "10.7.0.2"};
  options.count_every = absl::Milliseconds(20);
  return options;
}

TEST(Tally, CountsTheConnectionsOfEachClassAgainAndAgain) {
  Pair pair(CountingOften());
  pair.a.netns().Shell("ip link set lo up && ip addr add 10.7.0.1/24 dev lo");
  std::vector<Flow> flows = NattedFlows(200);
  flows.push_back(Plain(Key(IPPROTO_UDP, "198.51.100.7", 1, "203.0.113.1", 53)));
  flows.push_back(Plain(Key(IPPROTO_TCP, "198.51.100.7", 1, "10.7.0.1", 22)));
  flows.push_back(Plain(Key(IPPROTO_TCP, "10.7.0.1", 40002, "10.7.0.2", 7700)));
  ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, flows), 0U);
  core::FlowClasses counted;
  EXPECT_TRUE(WaitUntil(Pair::kPatience,
                        [&] {
                          counted = pair.a.State().classes;
                          return counted == core::FlowClasses{true, 1, 200, 1, 1};
                        }))
      << counted.forwarded << " " << counted.translated << " " << counted.local << " "
      << counted.own;
  ASSERT_EQ(Change(pair.a.netns(), Verb::kDelete, NattedFlows(100)), 0U);
  EXPECT_TRUE(WaitUntil(Pair::kPatience, [&] { return pair.a.State().classes.translated == 100; }));
}

}  // namespace
}  // namespace zcluster::conntrack
