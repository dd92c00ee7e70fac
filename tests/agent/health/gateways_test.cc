// SPDX-License-Identifier: Apache-2.0
#include "agent/health/gateways.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>

#include "tests/agent/health/seen.h"
#include "tests/support/loop_thread.h"
#include "tests/support/netns.h"

namespace zcluster::health {
namespace {

using testing::IsEmpty;

// A node with a wire to 192.0.2.254 and fd00::254.
class GatewaysTest : public testing::Test {
 protected:
  GatewaysTest() {
    near_.Shell(absl::StrCat("ip link add front type veth peer name front netns ", far_.Path()));
    near_.Shell("ip addr add 192.0.2.1/24 dev front && ip link set front up");
    far_.Shell(
        "ip addr add 192.0.2.254/24 dev front && ip addr add fd00::254/64 dev front nodad && ip "
        "link set front up");
    near_.Run([this] { thread_ = std::make_unique<test::LoopThread>(); });
    thread_->Do([this] {
      gateways_ =
          std::make_unique<Gateways>(thread_->loop(), [this] { seen_.Tell(gateways_->Results()); });
    });
  }
  ~GatewaysTest() override {
    thread_->Do([this] { gateways_.reset(); });
  }
  void Ask(const std::vector<std::string>& gateways) {
    thread_->Do([&] {
      gateways_->Ask(gateways, [this](const std::vector<std::string>& all) {
        ++rounds_;
        std::vector<Way> ways;
        for (const std::string& gateway : all) {
          ways.push_back(gateway == "198.51.100.1" ? Way{} : Way{"front", source_});
        }
        return ways;
      });
    });
  }

  const Netns near_, far_;
  std::string source_;
  std::atomic<int> rounds_ = 0;
  Seen seen_;
  std::unique_ptr<test::LoopThread> thread_;
  std::unique_ptr<Gateways> gateways_;
};

TEST_F(GatewaysTest, PassWithTheFirstAnswer) {
  Ask({"192.0.2.254", "fd00::254"});
  const core::HealthCheck v6 = seen_.AwaitPasses(1, true);
  EXPECT_EQ(v6.name, "gateway fd00::254");
  EXPECT_EQ(v6.evidence, "answers on front");
  const core::HealthCheck v4 = seen_.AwaitPasses(0, true);
  EXPECT_EQ(v4.name, "gateway 192.0.2.254");
  EXPECT_EQ(v4.settles, kGatewaySettles);
}

// A backup that has no address of its own in the network of a VIP.
TEST_F(GatewaysTest, AnswerToOneWhoHasNoAddress) {
  near_.Shell("ip addr flush dev front");
  source_ = "0.0.0.0";
  Ask({"192.0.2.254"});
  EXPECT_TRUE(seen_.AwaitPasses(0, true).passes);
}

TEST_F(GatewaysTest, FailOnlyAfterThreeSilentRounds) {
  Ask({"192.0.2.254", "192.0.2.253"});
  seen_.AwaitPasses(0, true);
  const auto results = seen_.Await([](const auto& all) { return all.size() == 2; });
  EXPECT_GE(rounds_, kGatewayFall);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_FALSE(results[1].passes);
  EXPECT_EQ(results[1].evidence, "does not answer on front");
}

TEST_F(GatewaysTest, FailWhenTheyStopAnsweringAndPassWhenTheyAreBack) {
  Ask({"192.0.2.254", "fd00::254"});
  seen_.AwaitPasses(1, true);
  far_.Shell("ip link set front down");
  seen_.AwaitPasses(0, false);
  EXPECT_FALSE(seen_.AwaitPasses(1, false).passes);
  far_.Shell("ip link set front up && ip addr add fd00::254/64 dev front nodad");
  EXPECT_TRUE(seen_.AwaitPasses(1, true).passes);
  EXPECT_TRUE(seen_.AwaitPasses(0, true).passes);
}

TEST_F(GatewaysTest, LiveOnAWireThatLosesMostOfThePackets) {
  far_.Shell(
      "nft 'add table netdev lossy; add chain netdev lossy in { type filter hook ingress device "
      "front priority 0; }; add rule netdev lossy in meta protocol arp numgen inc mod 3 != 2 "
      "drop'");
  Ask({"192.0.2.254"});
  seen_.AwaitPasses(0, true);
  const int seen = rounds_;
  const absl::Time deadline = absl::Now() + kLong;
  // As many rounds as it takes to fail, and one more.
  while (rounds_ <= seen + kGatewayFall + 1 && absl::Now() < deadline) ::poll(nullptr, 0, 10);
  EXPECT_EQ(seen_.times(), 1) << "nothing was another meanwhile";
}

TEST_F(GatewaysTest, ThatCannotBeAskedSayWhy) {
  Ask({"198.51.100.1", "192.0.2.254"});
  EXPECT_EQ(seen_.AwaitEvidence(0, "no interface of this node has a network that holds it").name,
            "gateway 198.51.100.1");
  near_.Shell("ip link set front down");
  EXPECT_EQ(seen_.AwaitPasses(1, false).evidence, "cannot be asked: front: Network is down");
}

TEST_F(GatewaysTest, ThatStayKeepTheirResult) {
  Ask({"192.0.2.254"});
  seen_.AwaitPasses(0, true);
  Ask({"192.0.2.253", "192.0.2.254"});
  thread_->Do([this] {
    const auto results = gateways_->Results();
    ASSERT_EQ(results.size(), 1u);
    EXPECT_EQ(results[0].name, "gateway 192.0.2.254");
  });
  Ask({});
  thread_->Do([this] { EXPECT_THAT(gateways_->Results(), IsEmpty()); });
}

}  // namespace
}  // namespace zcluster::health
