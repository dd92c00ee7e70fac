// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/filter.h"

#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

TEST(Filter, LeavesOutLoopbackAndTheLinkAlone) {
  const absl::StatusOr<Filter> filter =
      Filter::Make({"10.30.0.1", "10.30.0.2", "fd00::1", "fd00::2"});
  ASSERT_TRUE(filter.ok());
  const auto replicates = [&](const char* from, const char* to) {
    return filter->Replicates(Key(IPPROTO_TCP, from, 1, to, 2));
  };
  EXPECT_FALSE(replicates("10.30.0.1", "10.30.0.2"));
  EXPECT_FALSE(replicates("fd00::2", "fd00::1"));
  EXPECT_TRUE(replicates("10.30.0.1", "10.30.0.3"));
  EXPECT_TRUE(replicates("10.30.0.3", "10.30.0.1"));
  EXPECT_FALSE(replicates("127.0.0.1", "10.30.0.9"));
  EXPECT_FALSE(replicates("10.30.0.9", "127.9.9.9"));
  EXPECT_FALSE(replicates("::1", "::1"));
  EXPECT_TRUE(replicates("::2", "fd00::1"));
  EXPECT_FALSE(replicates("10.30.0.9", "224.0.0.18"));
  EXPECT_TRUE(replicates("10.30.0.9", "224.0.1.1"));
  EXPECT_FALSE(replicates("fd00::9", "ff02::12"));
  EXPECT_TRUE(replicates("fd00::9", "ff0e::12"));
}

TEST(Filter, RefusesWhatIsNoAddress) {
  EXPECT_EQ(Filter::Make({"10.30.0.1", "node-b"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(LocalAddresses, KnowWhichFlowsEndHere) {
  Netns netns;
  netns.Shell(
      "ip link set lo up && ip addr add 10.7.0.2/24 dev lo && ip addr add fd07::2/64 dev lo nodad");
  netns.Run([] {
    const LocalAddresses local = LocalAddresses::Read();
    EXPECT_TRUE(local.EndsHere(Plain(Key(IPPROTO_TCP, "10.9.9.9", 1, "10.7.0.2", 22))));
    EXPECT_TRUE(local.EndsHere(Plain(Key(IPPROTO_TCP, "fd07::2", 1, "fd09::9", 22))));
    EXPECT_FALSE(local.EndsHere(Plain(Key(IPPROTO_TCP, "10.9.9.9", 1, "10.9.9.8", 22))));
    // Through a VIP of ours, from an address of ours: it ends on the client and on the backend.
    Flow through = Plain(Key(IPPROTO_TCP, "10.9.9.9", 1, "10.7.0.2", 443));
    through.reply.source = Ip("10.1.0.2");
    through.reply.destination = Ip("10.7.0.2");
    EXPECT_FALSE(local.EndsHere(through));
  });
  EXPECT_FALSE(LocalAddresses().EndsHere(Natted(0)));
}

}  // namespace
}  // namespace zcluster::conntrack
