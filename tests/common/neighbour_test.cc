// SPDX-License-Identifier: Apache-2.0
#include "common/neighbour.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/netns.h"

namespace zcluster {
namespace {

using testing::HasSubstr;

// What only a broken question waits for, and what one that nobody answers does.
constexpr absl::Duration kLong = absl::Seconds(20);
constexpr absl::Duration kShort = absl::Milliseconds(200);

// A wire between this machine and one that has 192.0.2.254 and fd00::254, and filters all it can.
class NeighbourTest : public testing::Test {
 protected:
  NeighbourTest() {
    near_.Shell(absl::StrCat("ip link add front type veth peer name front netns ", far_.Path()));
    for (const Netns* side : {&near_, &far_})
      side->Shell("sysctl -qw net.ipv6.conf.front.accept_dad=0 && ip link set front up");
    near_.Shell("ip addr add 192.0.2.1/24 dev front && ip addr add fd00::1/64 dev front nodad");
    far_.Shell("ip addr add 192.0.2.254/24 dev front && ip addr add fd00::254/64 dev front nodad");
    far_.Shell(
        "nft 'add table inet f; add chain inet f in { type filter hook input priority 0; policy "
        "accept; }; add rule inet f in meta l4proto icmp drop; add rule inet f in icmpv6 type "
        "echo-request drop'");
  }

  // Asks again and again, as a wire that has just come up loses what is sent at once.
  bool Answers(const std::string& address, absl::Duration patience,
               const std::string& source = "") const {
    bool answered = false;
    near_.Run([&] {
      const absl::Time deadline = absl::Now() + patience;
      while (!answered && absl::Now() < deadline) {
        const auto question = NeighbourQuestion::Ask("front", address, source);
        if (!question.ok()) continue;
        pollfd wait = {question->fd(), POLLIN, 0};
        ::poll(&wait, 1, 50);
        answered = question->Answered();
      }
    });
    return answered;
  }
  std::string WhyNot(const std::string& interface, const std::string& address) const {
    std::string why;
    near_.Run(
        [&] { why = std::string(NeighbourQuestion::Ask(interface, address).status().message()); });
    return why;
  }

  const Netns near_, far_;
};

TEST_F(NeighbourTest, AnswersByArpWhateverItFilters) {
  EXPECT_TRUE(Answers("192.0.2.254", kLong));
  EXPECT_TRUE(Answers("192.0.2.254", kLong, "192.0.2.1"));
}

TEST_F(NeighbourTest, AnswersByNeighbourDiscovery) { EXPECT_TRUE(Answers("fd00::254", kLong)); }

TEST_F(NeighbourTest, AnswersNotForWhatItHasNot) {
  ASSERT_TRUE(Answers("192.0.2.254", kLong));
  EXPECT_FALSE(Answers("192.0.2.253", kShort));
  ASSERT_TRUE(Answers("fd00::254", kLong));
  EXPECT_FALSE(Answers("fd00::253", kShort));
}

TEST_F(NeighbourTest, CannotBeAskedWithoutAWire) {
  EXPECT_THAT(WhyNot("back", "192.0.2.254"), HasSubstr("back: No such device"));
  EXPECT_THAT(WhyNot("back", "fd00::254"), HasSubstr("back: No such device"));
  EXPECT_THAT(WhyNot("lo", "192.0.2.254"), HasSubstr("lo is no Ethernet"));
  EXPECT_THAT(WhyNot("front", "gateway"), HasSubstr("gateway is no address"));
  near_.Shell("ip link set front down");
  EXPECT_THAT(WhyNot("front", "192.0.2.254"), HasSubstr("front: Network is down"));
}

}  // namespace
}  // namespace zcluster
