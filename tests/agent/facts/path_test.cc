// SPDX-License-Identifier: Apache-2.0
#include "agent/facts/path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "absl/strings/str_cat.h"
#include "common/loop.h"
#include "tests/support/netns.h"

namespace zcluster::facts {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Only a broken probe is so slow; one of a path that is dead waits for it.
constexpr absl::Duration kLong = absl::Seconds(20);
constexpr absl::Duration kShort = absl::Milliseconds(200);

// A node with two wires: "front" to 192.0.2.254, "back" to 198.51.100.254.
class PathTest : public testing::Test {
 protected:
  void SetUp() override {
    far_.Shell("ip link set lo up");
    near_.Shell("ip link set lo up");
    Wire("front", "192.0.2");
    Wire("back", "198.51.100");
  }
  void Wire(const std::string& name, const std::string& network) {
    near_.Shell(absl::StrCat("ip link add ", name, " type veth peer name ", name, " netns ",
                             far_.Path(), " && ip addr add ", network, ".1/24 dev ", name,
                             " && ip link set ", name, " up"));
    far_.Shell(absl::StrCat("ip addr add ", network, ".254/24 dev ", name, " && ip link set ", name,
                            " up"));
  }
  PathOutcome Probe(const PathTargets& targets, absl::Duration patience) const {
    PathOutcome outcome;
    near_.Run([&] { outcome = ProbePath(targets, patience, stop_.get()); });
    return outcome;
  }

  const UniqueFd stop_{::eventfd(0, EFD_CLOEXEC)};
  const Netns near_, far_;
};

TEST_F(PathTest, IsAliveIfTheGatewayAnswers) {
  near_.Shell("ip route add default via 192.0.2.254");
  const PathOutcome outcome = Probe({{"front"}, {}}, kLong);
  EXPECT_TRUE(outcome.alive) << outcome.evidence;
  EXPECT_EQ(outcome.evidence, "the gateway 192.0.2.254 on front answers");
}

TEST_F(PathTest, IsAliveIfTheIpv6GatewayAnswers) {
  near_.Shell("ip addr add 2001:db8::1/64 dev front nodad");
  far_.Shell("ip addr add 2001:db8::254/64 dev front nodad");
  near_.Shell("ip -6 route add default via 2001:db8::254");
  const PathOutcome outcome = Probe({{"front"}, {}}, kLong);
  EXPECT_TRUE(outcome.alive) << outcome.evidence;
  EXPECT_EQ(outcome.evidence, "the gateway 2001:db8::254 on front answers");
}

TEST_F(PathTest, IsNotAliveIfItsIpv6GatewayIsSilent) {
  near_.Shell("ip addr add 2001:db8::1/64 dev front nodad");
  near_.Shell("ip -6 route add default via 2001:db8::253");
  EXPECT_FALSE(Probe({{"front"}, {}}, kShort).alive);
}

TEST_F(PathTest, IsAliveIfABackendAnswersEvenByARefusal) {
  const PathOutcome outcome = Probe({{"front"}, {"192.0.2.254:9"}}, kLong);
  EXPECT_TRUE(outcome.alive) << outcome.evidence;
  EXPECT_EQ(outcome.evidence, "the backend 192.0.2.254:9 on front answers");
}

TEST_F(PathTest, IsAliveOnAWireThatLosesTheFirstPackets) {
  near_.Shell("ip route add default via 192.0.2.254");
  far_.Shell(
      "nft 'add table netdev lossy; add chain netdev lossy in { type filter hook ingress device "
      "front priority 0; }; add rule netdev lossy in numgen inc mod 3 != 2 drop'");
  EXPECT_TRUE(Probe({{"front"}, {}}, kLong).alive);
}

TEST_F(PathTest, IsNotAliveByAnotherWire) {
  near_.Shell("ip route add default via 198.51.100.254");
  far_.Shell("ip link set front down");
  const PathOutcome outcome = Probe({{"front"}, {"192.0.2.254:9", "198.51.100.254:9"}}, kShort);
  EXPECT_FALSE(outcome.alive) << outcome.evidence;
  EXPECT_EQ(outcome.evidence, "no gateway and no backend answers on front");
}

TEST_F(PathTest, IsNotAliveIfItsGatewayIsSilent) {
  near_.Shell("ip route add default via 192.0.2.253");
  EXPECT_FALSE(Probe({{"front"}, {}}, kShort).alive);
}

TEST_F(PathTest, SaysThatNothingIsKnown) {
  EXPECT_THAT(Probe({{"front"}, {}}, kLong).evidence, HasSubstr("neither a gateway on front"));
}

TEST_F(PathTest, EndsWhenStopped) {
  ASSERT_EQ(::eventfd_write(stop_.get(), 1), 0);
  near_.Shell("ip route add default via 192.0.2.253");
  const absl::Time began = Loop::Now();
  EXPECT_FALSE(Probe({{"front"}, {}}, kLong).alive);
  EXPECT_LT(Loop::Now() - began, kLong);
}

class Sink : public EventSink {
 public:
  void Report(core::Event event) override {
    absl::MutexLock lock(&mutex_);
    if (const auto* probed = std::get_if<core::PathProbed>(&event)) last_ = *probed;
  }
  absl::optional<core::PathProbed> Await(uint64_t nonce) {
    absl::MutexLock lock(&mutex_);
    nonce_ = nonce;
    mutex_.AwaitWithTimeout(absl::Condition(
                                +[](Sink* self) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                  return self->last_ && self->last_->nonce == self->nonce_;
                                },
                                this),
                            kLong);
    return last_;
  }

 private:
  absl::Mutex mutex_;
  uint64_t nonce_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::optional<core::PathProbed> last_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(PathTest, AnswersTheNewestQuestionWithItsNonceAndNewTargets) {
  near_.Run([] {
    Sink sink;
    Path path({{"front"}, {}});
    ASSERT_TRUE(path.Start(sink).ok());
    path.Perform(core::ProbePath{7});
    const auto first = sink.Await(7);
    ASSERT_TRUE(first && first->nonce == 7);
    EXPECT_FALSE(first->alive);
    path.Reconfigure({{"back"}, {"198.51.100.254:9"}});
    for (uint64_t nonce = 8; nonce <= 50; ++nonce) path.Perform(core::ProbePath{nonce});
    const auto last = sink.Await(50);
    ASSERT_TRUE(last && last->nonce == 50);
    EXPECT_TRUE(last->alive) << last->evidence;
    path.Stop();
  });
}

TEST(Gateways, AreThoseOfTheInterface) {
  const std::string routes =
      "Iface\tDestination\tGateway \tFlags\tRefCnt\n"
      "front\t00000000\tFE0200C0\t0003\t0\n"
      "front\t000200C0\t00000000\t0001\t0\n"
      "back\t0000000A\tFE6433C6\t0003\t0\n";
  EXPECT_THAT(GatewaysIn(routes, "front"), ElementsAre("192.0.2.254"));
  EXPECT_THAT(GatewaysIn(routes, "back"), ElementsAre("198.51.100.254"));
  EXPECT_THAT(GatewaysIn("", "front"), IsEmpty());
}

TEST(Gateways, OfIpv6AreThoseOfTheInterfaceOnceEach) {
  const std::string none(32, '0');
  const std::string gateway = "20010db8000000000000000000000254";
  const auto route = [&](const std::string& by, const std::string& flags, const std::string& on) {
    return absl::StrCat(none, " 00 ", none, " 00 ", by, " 00000400 00000001 00000000 ", flags,
                        "    ", on, "\n");
  };
  const std::string routes = route(gateway, "00000003", "front") +
                             route(gateway, "00000003", "front") +
                             route(none, "00000001", "front") + route(gateway, "00000003", "back");
  EXPECT_THAT(Gateways6In(routes, "front"), ElementsAre("2001:db8::254"));
  EXPECT_THAT(Gateways6In("rubbish\n", "front"), IsEmpty());
}

}  // namespace
}  // namespace zcluster::facts
