// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/strangers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/netns.h"

namespace zcluster::facts {
namespace {

// This node, and a wire with the peer and with a stranger.
class StrangersTest : public testing::Test {
 protected:
  StrangersTest() {
    here_.Shell("ip link add front type veth peer name front netns " + there_.Path() +
                " && ip addr add 192.0.2.1/24 dev front && ip link set front up");
    there_.Shell(
        "ip addr add 192.0.2.2/24 dev front && ip addr add 192.0.2.3/24 dev front && "
        "ip link set front up");
    // A wire that was just made carries nothing for a moment.
    here_.Shell("ping -q -c 1 -i 0.1 -w 20 192.0.2.2");
    // As ours does.
    here_.Shell(
        "nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; "
        "add rule inet t in meta l4proto 112 drop'");
    strangers_.Aim({"front", 51, "192.0.2.1", "192.0.2.2"});
  }

  std::string Look() {
    std::string word = "unknown";
    here_.Run([&] {
      if (const std::optional<core::Fact> fact = strangers_.Look(now_)) word = fact->value;
    });
    return word;
  }
  void Send(const std::string& from, int router, const std::string& to = "224.0.0.18") {
    there_.Shell(absl::StrCat(
        "perl -e 'use Socket; my ($f, $t, $r) = @ARGV; socket(my $s, AF_INET, SOCK_RAW, 112) or "
        "die; bind($s, pack_sockaddr_in(0, inet_aton($f))) or die; setsockopt($s, 0, 32, "
        "inet_aton($f)) or die; send($s, pack(\"CCCCnna4\", 0x31, $r, 255, 1, 10, 0, $f), 0, "
        "pack_sockaddr_in(0, inet_aton($t))) or die' ",
        from, " ", to, " ", router));
  }

  Netns here_, there_;
  Strangers strangers_;
  Strangers::Clock::time_point now_ = Strangers::Clock::time_point() + std::chrono::hours(1);
};

TEST_F(StrangersTest, AreNamedAlthoughAFilterDropsThemAndForgottenWhenSilent) {
  EXPECT_EQ(Look(), "alone");
  Send("192.0.2.3", 51);
  const std::string named = "192.0.2.3 on front sends VRRP adverts of router id 51, too";
  EXPECT_EQ(Look(), named);
  now_ += Strangers::kForgetAfter;
  EXPECT_EQ(Look(), named);
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(Look(), "alone");
  Send("192.0.2.3", 51, "192.0.2.1");
  EXPECT_EQ(Look(), named);
}

TEST_F(StrangersTest, NeitherThePeerNorAnotherRouterIsOne) {
  EXPECT_EQ(Look(), "alone");
  Send("192.0.2.2", 51);
  Send("192.0.2.3", 52);
  EXPECT_EQ(Look(), "alone");
}

TEST_F(StrangersTest, AreHeardOnAnInterfaceThatWasMadeAnew) {
  EXPECT_EQ(Look(), "alone");
  here_.Shell("ip link del front");
  EXPECT_EQ(Look(), "unknown");
  here_.Shell("ip link add front type veth peer name front netns " + there_.Path() +
              " && ip addr add 192.0.2.1/24 dev front && ip link set front up");
  there_.Shell("ip addr add 192.0.2.3/24 dev front && ip link set front up");
  EXPECT_EQ(Look(), "alone");
  Send("192.0.2.3", 51);
  EXPECT_NE(Look(), "alone");
}

TEST_F(StrangersTest, AnotherTargetBeginsAnew) {
  EXPECT_EQ(Look(), "alone");
  Send("192.0.2.3", 51);
  EXPECT_NE(Look(), "alone");
  strangers_.Aim({"front", 52, "192.0.2.1", "192.0.2.2"});
  EXPECT_EQ(Look(), "alone");
  strangers_.Aim({"", 0, "", ""});
  EXPECT_EQ(Look(), "unknown");
}

}  // namespace
}  // namespace zcluster::facts
