// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/hearing.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "tests/support/netns.h"

namespace zcluster::facts {
namespace {

constexpr std::chrono::seconds kStep(5);
constexpr absl::Duration kPatience = absl::Seconds(15);

// Two machines on a wire, and a third that is nobody's peer.
class HearingTest : public testing::Test {
 protected:
  HearingTest() {
    here_.Shell("ip link add front type veth peer name front netns " + there_.Path() +
                " && ip addr add 192.0.2.1/24 dev front && ip link set front up");
    there_.Shell(
        "ip addr add 192.0.2.2/24 dev front && ip addr add 192.0.2.3/24 dev front && "
        "ip link set front up");
    // A wire that was just made carries nothing for a moment.
    here_.Shell("ping -q -c 1 -i 0.1 -w 20 192.0.2.2");
    of_here_.Aim({"192.0.2.1", "192.0.2.2"}, kPatience);
    of_there_.Aim({"192.0.2.2", "192.0.2.1"}, kPatience);
  }

  // Both look, and again some seconds later: "node1's word, node2's word".
  std::string Look() {
    const std::string here = LookIn(here_, of_here_), there = LookIn(there_, of_there_);
    now_ += kStep;
    return here + ", " + there;
  }
  std::string LookIn(const Netns& netns, Hearing& hearing) {
    std::string word;
    netns.Run([&] {
      const std::optional<core::Fact> fact = hearing.Look(now_);
      word = fact ? fact->value : "unknown";
      EXPECT_EQ(fact ? fact->name : "heartbeat", "heartbeat");
    });
    return word;
  }

  Netns here_, there_;
  Hearing of_here_, of_there_;
  Hearing::Clock::time_point now_;
};

TEST_F(HearingTest, IsKnownBothWaysAlthoughNobodySendsAdverts) {
  Look();
  EXPECT_EQ(Look(), "heard, heard");
}

TEST_F(HearingTest, NamesTheOneWayThatAPacketFilterCloses) {
  Look();
  EXPECT_EQ(Look(), "heard, heard");
  // Behind our own table's chains: a counter there would still count.
  here_.Shell(
      "nft 'add table inet foreign; add chain inet foreign in { type filter hook input priority "
      "300; }; add rule inet foreign in meta l4proto 112 drop'");
  // The first still finds the packet that came before; a lost one or two are no silence.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Look(), "heard, heard");
  EXPECT_EQ(Look(), "silent, heard");
  here_.Shell("nft delete table inet foreign");
  Look();
  EXPECT_EQ(Look(), "heard, heard");
}

TEST_F(HearingTest, ByMulticastTooAndNotByTheOther) {
  Look();
  EXPECT_EQ(Look(), "heard, heard");
  of_here_.Aim({"192.0.2.1", "192.0.2.2", true}, kPatience);
  Look();
  for (int i = 0; i < 4; ++i) Look();
  EXPECT_EQ(Look(), "silent, silent");
  of_there_.Aim({"192.0.2.2", "192.0.2.1", true}, kPatience);
  Look();
  EXPECT_EQ(Look(), "heard, heard");
}

TEST_F(HearingTest, DoesNotTakeAStrangerForThePeer) {
  LookIn(here_, of_here_);
  Hearing stranger;
  stranger.Aim({"192.0.2.3", "192.0.2.1"}, kPatience);
  for (int i = 0; i < 4; ++i) {
    LookIn(there_, stranger);
    now_ += kStep;
  }
  EXPECT_EQ(LookIn(here_, of_here_), "silent");
}

TEST_F(HearingTest, IsNotKnownWithoutTheAddress) {
  Hearing nobody;
  nobody.Aim({"", ""}, kPatience);
  EXPECT_EQ(LookIn(here_, nobody), "unknown");
  nobody.Aim({"192.0.2.77", "192.0.2.2"}, kPatience);
  EXPECT_EQ(LookIn(here_, nobody), "unknown");
  // It comes up late; from then on it is.
  here_.Shell("ip addr add 192.0.2.77/24 dev front");
  EXPECT_EQ(LookIn(here_, nobody), "unknown");
  now_ += 4 * kStep;
  EXPECT_EQ(LookIn(here_, nobody), "silent");
}

}  // namespace
}  // namespace zcluster::facts
