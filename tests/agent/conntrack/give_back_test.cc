// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "common/file.h"
#include "tests/agent/conntrack/node.h"

namespace zcluster::conntrack {
namespace {

TEST(GiveBack, LeavesTheKernelAsItWasBefore) {
  const std::string file = absl::StrCat(testing::TempDir(), "/zt-ct-events-", ::getpid());
  ::unlink(file.c_str());
  Options options;
  options.state_file = file;
  {
    Pair pair(options);
    // Both in one file would remember the other's: what this test gives back is node b.
    ::unlink(file.c_str());
    ASSERT_TRUE(WriteFileAtomically(file, "2\n", 0600).ok());
    ASSERT_EQ(Change(pair.a.netns(), Verb::kCreate, NattedFlows(1500)), 0U);
    pair.Appoint(pair.a, 1);
    pair.b.Stop();
    auto table = Dump(pair.b.netns());
    ASSERT_EQ(table.size(), 1500U);
    EXPECT_GT(table.begin()->second.timeout, 86400U * 30);
    pair.b.netns().Run([&] {
      const absl::Status status = GiveBack(options);
      EXPECT_TRUE(status.ok()) << status;
    });
    table = Dump(pair.b.netns());
    ASSERT_EQ(table.size(), 1500U) << "connections live on";
    for (const auto& [text, flow] : table) ASSERT_LE(flow.timeout, 432000U) << text;
    pair.b.netns().Shell("test $(cat /proc/sys/net/netfilter/nf_conntrack_events) = 2");
  }
  EXPECT_NE(::access(file.c_str(), F_OK), 0);
}

TEST(GiveBack, OfANodeThatNeverReplicatedChangesNothing) {
  Netns netns;
  netns.Shell("echo 0 > /proc/sys/net/netfilter/nf_conntrack_events");
  netns.Run([] {
    Options options;
    options.state_file = "/nowhere/events";
    const absl::Status status = GiveBack(options);
    EXPECT_TRUE(status.ok()) << status;
  });
  netns.Shell("test $(cat /proc/sys/net/netfilter/nf_conntrack_events) = 0");
}

}  // namespace
}  // namespace zcluster::conntrack
