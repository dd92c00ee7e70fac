// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/kernel.h"

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

TEST(Kernel, EventsAreTurnedOnInTheNamespaceOfTheThread) {
  Netns netns;
  netns.Shell("echo 2 > /proc/sys/net/netfilter/nf_conntrack_events");
  netns.Run([] {
    EXPECT_TRUE(TurnEventsOn().ok());
    EXPECT_TRUE(TurnEventsOn().ok());
  });
  netns.Shell("test $(cat /proc/sys/net/netfilter/nf_conntrack_events) = 1");
}

}  // namespace
}  // namespace zcluster::conntrack
