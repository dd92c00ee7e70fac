// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/machine/machine.h"
#include "common/unique_fd.h"
#include "tests/support/netns.h"

namespace zcluster::machine {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// A socket that is bound to `address`, and listens if asked to.
UniqueFd Bind(const std::string& address, int port, bool listen) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  EXPECT_EQ(::inet_pton(AF_INET, address.c_str(), &to.sin_addr), 1);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  if (listen) {
    EXPECT_EQ(::listen(fd.get(), 1), 0);
  }
  return fd;
}

class LacksTest : public testing::Test {
 protected:
  LacksTest() {
    std::string pattern = testing::TempDir() + "zc-machine-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    netns_.Shell("ip link set lo up");
  }
  ~LacksTest() override { std::filesystem::remove_all(directory_); }

  std::vector<std::string> In(const Needs& needs) {
    std::vector<std::string> result;
    netns_.Run([&] { result = Lacks(needs); });
    return result;
  }
  std::string Script(const std::string& text) {
    const std::string path = directory_ + "/script";
    std::ofstream(path) << "#!/bin/sh\n" << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

  std::string directory_;
  const Netns netns_;
};

TEST_F(LacksTest, FindNothingWhereAllIsThere) {
  EXPECT_THAT(In({.ports = {7700, 7701}}), IsEmpty());
}

TEST_F(LacksTest, NameAProgramThatIsMissingAndItsPackage) {
  const Needs needs{
      .keepalived = directory_ + "/keepalived", .nft = directory_ + "/nft", .ports = {}};
  EXPECT_THAT(In(needs),
              ElementsAre(AllOf(StartsWith(needs.keepalived + ": No such file or directory"),
                                HasSubstr("apt-get install keepalived")),
                          AllOf(StartsWith(needs.nft), HasSubstr("apt-get install nftables"))));
}

TEST_F(LacksTest, NameAProgramThatCannotBeRunWithItsWords) {
  const std::vector<std::string> lacks =
      In({.keepalived = Script("echo a library is missing; exit 127"), .ports = {}});
  ASSERT_EQ(lacks.size(), 1U);
  EXPECT_THAT(lacks[0], AllOf(HasSubstr("a library is missing"),
                              HasSubstr("apt-get install --reinstall keepalived")));
}

TEST_F(LacksTest, NameAPortOnWhichSomebodyListensAndHowToFindWho) {
  UniqueFd fd;
  netns_.Run([&] { fd = Bind("0.0.0.0", 7701, true); });
  EXPECT_THAT(In({.ports = {7700, 7701}}),
              ElementsAre("TCP port 7701 cannot be used (bind: Address already in use): find who "
                          "has it (ss -tanp 'sport = :7701') and stop it, or choose another port "
                          "in agent.yaml."));
}

TEST_F(LacksTest, NameAPortOnWhichSomebodyListensOnOneAddressOnly) {
  UniqueFd fd;
  netns_.Run([&] { fd = Bind("127.0.0.1", 7701, true); });
  EXPECT_THAT(In({.ports = {7701}}), ElementsAre(HasSubstr("7701")));
}

TEST_F(LacksTest, NameAPortOnWhichSomebodyListensByIpv6Only) {
  UniqueFd fd;
  netns_.Run([&] {
    fd.Reset(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    sockaddr_in6 to = {};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(7701);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(::listen(fd.get(), 1), 0);
  });
  EXPECT_THAT(In({.ports = {7701}}), ElementsAre(HasSubstr("7701")));
}

TEST_F(LacksTest, LeaveThePortFree) {
  EXPECT_THAT(In({.ports = {7701}}), IsEmpty());
  netns_.Run([&] { Bind("0.0.0.0", 7701, true); });
}

TEST_F(LacksTest, NameTheModuleWhereTheKernelDoesNotTrackConnections) {
  std::vector<std::string> lacks;
  netns_.Run([&] {
    // This thread sees a kernel without the module: its files are covered.
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("none", "/proc/sys/net/netfilter", "tmpfs", 0, nullptr), 0);
    lacks = Lacks({.ports = {}});
  });
  EXPECT_THAT(lacks, ElementsAre(AllOf(HasSubstr("nf_conntrack_max: No such file"),
                                       HasSubstr("modprobe nf_conntrack_netlink"))));
}

TEST_F(LacksTest, SayWhyTheKernelDoesNotAnswer) {
  std::vector<std::string> lacks;
  netns_.Run([&] {
    // The kernel lets nobody at its table without CAP_NET_ADMIN; a thread has its own.
    __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    const __user_cap_data_struct none[2] = {};
    ASSERT_EQ(::syscall(SYS_capset, &header, none), 0);
    lacks = Lacks({.ports = {}});
  });
  EXPECT_THAT(lacks, ElementsAre(HasSubstr("ctnetlink: Operation not permitted")));
}

}  // namespace
}  // namespace zcluster::machine
