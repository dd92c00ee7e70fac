// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

TEST(Address, ReadsBothFamilies) {
  const auto v4 = Address::Parse("192.0.2.10/24");
  ASSERT_TRUE(v4.ok()) << v4.status();
  EXPECT_EQ(v4->family(), AF_INET);
  EXPECT_EQ(v4->size(), 4U);
  EXPECT_EQ(v4->prefix_length(), 24);
  EXPECT_EQ(v4->data()[3], 10);
  const auto v6 = Address::Parse("2001:db8::10");
  ASSERT_TRUE(v6.ok()) << v6.status();
  EXPECT_EQ(v6->family(), AF_INET6);
  EXPECT_EQ(v6->size(), 16U);
  EXPECT_EQ(v6->prefix_length(), 128);
}

TEST(Address, RefusesWhatIsNone) {
  for (const char* text :
       {"", "/24", "192.0.2/24", "192.0.2.10/", "192.0.2.10/33", "192.0.2.10/0", "192.0.2.10/-1",
        "192.0.2.10/24/24", "2001:db8::10/129", "node-a", "192.0.2.10 /24"}) {
    EXPECT_EQ(Address::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

using AddressesTest = HeartbeatTest;

std::string Output(const std::string& command) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  char buffer[4096];
  while (pipe != nullptr && std::fgets(buffer, sizeof buffer, pipe.get()) != nullptr)
    text += buffer;
  return text;
}

TEST_F(AddressesTest, AreFoundAndRemoved) {
  const std::vector<Vip> vips = {
      {"192.0.2.50/24", "eth0"}, {"2001:db8::50/64", "eth0"}, {"169.254.77.51/32", "lo"}};
  for (const Vip& vip : vips)
    Must({"-n", a_->network(), "addr", "add", vip.address, "dev", vip.interface, "nodad"});
  a_->On([&] {
    for (const Vip& vip : vips) EXPECT_TRUE(HasAddress(vip).value()) << vip.address;
    EXPECT_FALSE(HasAddress({"192.0.2.50/24", "lo"}).value());
    EXPECT_TRUE(RemoveAddresses(vips).ok());
    for (const Vip& vip : vips) EXPECT_FALSE(HasAddress(vip).value()) << vip.address;
    EXPECT_TRUE(HasAddress({"192.0.2.1/24", "eth0"}).value());
    EXPECT_TRUE(RemoveAddresses(vips).ok()) << "what is not there is no error";
    EXPECT_FALSE(HasAddress({"192.0.2.50/24", "missing"}).value());
    EXPECT_TRUE(RemoveAddresses({{"192.0.2.50/24", "missing"}}).ok());
  });
}

TEST_F(AddressesTest, ThatTheKernelTookForDuplicatesAreFound) {
  const Vip vip{"2001:db8::77/64", "eth0"};
  const auto shows = [&](const std::string& what) {
    const std::string all = Output("ip -n " + a_->network() + " -6 -o addr show dev eth0");
    const size_t at = all.find("2001:db8::77/64");
    return at != std::string::npos &&
           all.substr(at, all.find('\n', at) - at).find(what) != std::string::npos;
  };
  a_->On([&] { EXPECT_THAT(FindDuplicates({vip}).value(), testing::IsEmpty()); });
  Must({"-n", b_->network(), "addr", "add", vip.address, "dev", "eth0", "nodad"});
  // Looks for it on the wire, and finds it at b.
  Must({"-n", a_->network(), "addr", "add", vip.address, "dev", "eth0"});
  ASSERT_TRUE(WaitUntil(absl::Seconds(20), [&] { return shows("dadfailed"); }));
  a_->On([&] {
    EXPECT_THAT(FindDuplicates({{"192.0.2.50/24", "eth0"}, {"2001:db8::78/64", "eth0"}}).value(),
                testing::IsEmpty());
    const std::vector<Vip> found = FindDuplicates({vip}).value();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].address, vip.address);
  });
}

TEST_F(AddressesTest, AreFoundAmongHundreds) {
  std::string batch;
  for (int i = 1; i <= 250; ++i)
    absl::StrAppend(&batch, "addr add 198.51.100.", i, "/32 dev eth0\n");
  ASSERT_TRUE(
      RunProgram({"/usr/sbin/ip", "-n", a_->network(), "-b", "-"}, batch, absl::Seconds(20)).ok());
  a_->On([&] {
    EXPECT_TRUE(HasAddress({"198.51.100.1/32", "eth0"}).value());
    EXPECT_TRUE(HasAddress({"198.51.100.250/32", "eth0"}).value());
    EXPECT_FALSE(HasAddress({"198.51.100.251/32", "eth0"}).value());
  });
}

}  // namespace
}  // namespace zcluster::heartbeat
