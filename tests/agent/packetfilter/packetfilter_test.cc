// SPDX-License-Identifier: Apache-2.0
#include "agent/packetfilter/packetfilter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>

#include "common/child.h"

namespace zcluster::packetfilter {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

Options Sample() {
  Options options;
  options.address = "10.0.0.1";
  options.peer_address = "10.0.0.2";
  options.interface = "front";
  options.link_addresses = {"10.9.0.2", "10.0.0.2", "fd09::2"};
  options.vips = {"192.0.2.10", "2001:db8::10", "192.0.2.11"};
  return options;
}

class NoEvents : public EventSink {
 public:
  void Report(core::Event) override { ADD_FAILURE() << "it has nothing to report"; }
};

// What nft says that the kernel holds.
std::string Listed() {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen("/usr/sbin/nft list ruleset 2>&1", "r"),
                                             ::pclose);
  std::string text;
  std::array<char, 4096> buffer;
  while (size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    text.append(buffer.data(), n);
  return text;
}

// Runs `test` on a thread that has a network namespace of its own, which ends with it.
void InOwnNetwork(const std::function<void()>& test) {
  std::thread thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << "needs root";
    test();
  });
  thread.join();
}

TEST(PacketFilter, LoadsWhatTheKernelThenHolds) {
  InOwnNetwork([] {
    NoEvents events;
    PacketFilter filter(Sample());
    const absl::Status status = filter.Start(events);
    ASSERT_TRUE(status.ok()) << status;
    const std::string listed = Listed();
    EXPECT_THAT(listed, ContainsRegex("meta l4proto (112|vrrp) notrack"));
    EXPECT_THAT(listed, HasSubstr("ip saddr { 10.0.0.2, 10.9.0.2 } tcp dport 7700 notrack"));
    EXPECT_THAT(listed, HasSubstr("ip6 daddr fd09::2 tcp sport 7700 notrack"));
    EXPECT_THAT(
        listed,
        ContainsRegex("iifname \"front\" meta l4proto (112|vrrp) ip saddr != 10.0.0.2 counter"));
    EXPECT_THAT(listed, HasSubstr("ip daddr { 192.0.2.10, 192.0.2.11 } ct state invalid counter"));
    EXPECT_THAT(listed, HasSubstr("ip6 daddr 2001:db8::10 ct state invalid counter"));
  });
}

TEST(PacketFilter, ReplacesItsOldTableAndLeavesOthersAlone) {
  InOwnNetwork([] {
    NoEvents events;
    ASSERT_TRUE(RunProgram({"/usr/sbin/nft", "table ip mine { chain c { tcp dport 1 drop; }; }"},
                           "", absl::Seconds(20))
                    .ok());
    ASSERT_TRUE(PacketFilter(Sample()).Start(events).ok());
    Options fewer = Sample();
    fewer.vips = {"192.0.2.99"};
    ASSERT_TRUE(PacketFilter(fewer).Start(events).ok());
    const std::string listed = Listed();
    EXPECT_THAT(listed, HasSubstr("192.0.2.99"));
    EXPECT_THAT(listed, Not(HasSubstr("192.0.2.10")));
    EXPECT_THAT(listed, HasSubstr("table ip mine"));
  });
}

TEST(PacketFilter, TakesOtherVipsWhileItServes) {
  InOwnNetwork([] {
    NoEvents events;
    PacketFilter filter(Sample());
    ASSERT_TRUE(filter.Start(events).ok());
    Options other = Sample();
    other.vips = {"192.0.2.99"};
    const absl::Status status = filter.Reconfigure(other);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_THAT(Listed(), HasSubstr("ip daddr 192.0.2.99 ct state invalid"));
    EXPECT_THAT(Listed(), Not(HasSubstr("192.0.2.10")));
  });
}

TEST(PacketFilter, KeepsItsTableIfNftRefusesTheNewOne) {
  InOwnNetwork([] {
    NoEvents events;
    PacketFilter filter(Sample());
    ASSERT_TRUE(filter.Start(events).ok());
    const std::string before = Listed();
    Options wrong = Sample();
    wrong.vips = {"192.0.2.99", "not-an-address"};
    EXPECT_THAT(std::string(filter.Reconfigure(wrong).message()), HasSubstr("not-an-address"));
    EXPECT_EQ(Listed(), before);
  });
}

TEST(PacketFilter, RemovesItsTableAndNoOther) {
  InOwnNetwork([] {
    NoEvents events;
    ASSERT_TRUE(RunProgram({"/usr/sbin/nft", "table ip mine { chain c { tcp dport 1 drop; }; }"},
                           "", absl::Seconds(20))
                    .ok());
    PacketFilter filter(Sample());
    EXPECT_TRUE(filter.Remove().ok()) << "there was none";
    ASSERT_TRUE(filter.Start(events).ok());
    EXPECT_TRUE(filter.Remove().ok());
    EXPECT_THAT(Listed(), Not(HasSubstr("zcluster")));
    EXPECT_THAT(Listed(), HasSubstr("table ip mine"));
  });
}

TEST(PacketFilter, LetsAPairBeWithoutVip) {
  InOwnNetwork([] {
    NoEvents events;
    Options options = Sample();
    options.vips.clear();
    options.link_addresses.clear();
    EXPECT_TRUE(PacketFilter(options).Start(events).ok());
  });
}

TEST(PacketFilter, RepeatsWhatNftComplainsAbout) {
  InOwnNetwork([] {
    NoEvents events;
    Options options = Sample();
    options.vips = {"not-an-address"};
    const absl::Status status = PacketFilter(options).Start(events);
    EXPECT_THAT(std::string(status.message()), HasSubstr("not-an-address"));
    EXPECT_THAT(Listed(), Not(HasSubstr("zcluster"))) << "all or nothing";
  });
}

TEST(PacketFilter, SaysThatNftIsMissing) {
  NoEvents events;
  Options options = Sample();
  options.nft = "/nonexistent/nft";
  EXPECT_THAT(std::string(PacketFilter(options).Start(events).message()),
              HasSubstr("is the package nftables installed?"));
}

}  // namespace
}  // namespace zcluster::packetfilter
