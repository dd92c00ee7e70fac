// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "tests/support/netns.h"
#include "tests/support/small_disk.h"

namespace zcluster::facts {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string Value(const std::vector<core::Fact>& facts, const std::string& name) {
  for (const core::Fact& fact : facts) {
    if (fact.name == name) return fact.value;
  }
  return "not told";
}

TEST(Kernel, TellsTheSysctlsOfItsOwnNamespace) {
  const Netns netns;
  netns.Shell("echo 1 >/proc/sys/net/ipv4/ip_forward");
  netns.Run([] { EXPECT_EQ(Value(Sysctls(), "sysctl net.ipv4.ip_forward"), "1"); });
  netns.Shell("echo 0 >/proc/sys/net/ipv4/ip_forward");
  netns.Run([] { EXPECT_EQ(Value(Sysctls(), "sysctl net.ipv4.ip_forward"), "0"); });
  EXPECT_EQ(Value(Sysctls(), "sysctl nonsense"), "not told");
}

TEST(Kernel, TellsEachModuleOnce) {
  for (const core::Fact& fact : Modules()) {
    EXPECT_TRUE(fact.value == "loaded" || fact.value == "absent") << fact.name;
  }
}

TEST(Kernel, FindsTheNetworksOfVips) {
  const Netns netns;
  netns.Shell(
      "ip link add front type veth peer name other && ip link set other up && "
      "ip addr add 192.0.2.1/24 dev front && ip link set front up");
  const std::vector<Vip> vips = {{"192.0.2.10", 24},
                                 {"192.0.2.11", 24},
                                 {"198.51.100.1", 24},
                                 {"203.0.113.9", 32},
                                 {"2001:db8::10", 64}};
  netns.Run([&] {
    EXPECT_THAT(Networks(vips), ElementsAre(core::Fact{"network 192.0.2.0/24", "front"},
                                            core::Fact{"network 198.51.100.0/24", ""},
                                            core::Fact{"network 2001:db8::/64", ""}));
  });
  // A VIP itself does not make a network that is there.
  netns.Shell(
      "ip addr add 198.51.100.1/24 dev front && ip -6 addr add 2001:db8::1/64 dev front nodad");
  netns.Run([&] {
    EXPECT_EQ(Value(Networks(vips), "network 198.51.100.0/24"), "");
    EXPECT_EQ(Value(Networks(vips), "network 2001:db8::/64"), "front");
  });
  netns.Shell("ip link set front down");
  netns.Run([&] { EXPECT_EQ(Value(Networks(vips), "network 192.0.2.0/24"), ""); });
}

TEST(Kernel, LooksAtNoMoreThan32Networks) {
  std::vector<Vip> vips;
  for (int i = 0; i < 100; ++i) vips.push_back({"10.0." + std::to_string(i) + ".1", 24});
  EXPECT_EQ(Networks(vips).size(), 32u);
  EXPECT_THAT(Networks({}), IsEmpty());
}

TEST(Kernel, TellsHowMuchOfTheDiskIsFree) {
  if (!test::SmallDisk::Possible()) GTEST_SKIP() << "needs root";
  std::thread([] {
    test::SmallDisk disk(12);
    const std::optional<uint64_t> before = DiskFree(disk.path());
    ASSERT_TRUE(before.has_value());
    EXPECT_GT(*before, 8u);
    EXPECT_LE(*before, 12u);
    disk.Fill();
    EXPECT_EQ(DiskFree(disk.path()), 0u);
  }).join();
  EXPECT_FALSE(DiskFree("/no/such/directory").has_value());
}

// As /proc/net/tcp and tcp6 print them on a little-endian machine: 192.0.2.10, 2001:db8::10, and
// 192.0.2.10 mapped.
constexpr char kTable[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    "   0: 0A0200C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
    "   1: 0A0200C0:0050 010200C0:D431 01 00000000:00000000 00:00000000 00000000     0\n"
    "   2: 0A0200C0:0050 010200C0:D432 06 00000000:00000000 00:00000000 00000000     0\n"
    "   3: 010200C0:0050 020200C0:D431 01 00000000:00000000 00:00000000 00000000     0\n"
    "   4: B80D0120000000000000000010000000:0050 B80D0120000000000000000001000000:D431 01 0\n"
    "   5: 0000000000000000FFFF00000A0200C0:0050 0000000000000000FFFF0000010200C0:D433 01 0\n"
    "nonsense\n";

TEST(Kernel, CountsTheConnectionsThatEndOnAVip) {
  EXPECT_EQ(CountConnections(kTable, {{"192.0.2.10", 24}}), 2u);
  EXPECT_EQ(CountConnections(kTable, {{"192.0.2.10", 24}, {"2001:db8::10", 64}}), 3u);
  EXPECT_EQ(CountConnections(kTable, {}), 0u);
  EXPECT_EQ(CountConnections("", {{"192.0.2.10", 24}}), 0u);
}

}  // namespace
}  // namespace zcluster::facts
