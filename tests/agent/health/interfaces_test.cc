// SPDX-License-Identifier: Apache-2.0
#include "agent/health/interfaces.h"

#include <gtest/gtest.h>

#include "tests/agent/health/seen.h"
#include "tests/support/loop_thread.h"
#include "tests/support/netns.h"

namespace zcluster::health {
namespace {

class InterfacesTest : public testing::Test {
 protected:
  InterfacesTest() {
    netns_.Shell("ip link add front type veth peer name far && ip link set front up");
    netns_.Run([this] { thread_ = std::make_unique<test::LoopThread>(); });
    thread_->Do([this] {
      interfaces_ = std::make_unique<Interfaces>(thread_->loop(),
                                                 [this] { seen_.Tell(interfaces_->Results()); });
      ASSERT_TRUE(interfaces_->Start().ok());
      interfaces_->Track({"front", "back"});
      seen_.Tell(interfaces_->Results());
    });
  }
  ~InterfacesTest() override {
    thread_->Do([this] { interfaces_.reset(); });
  }
  void Expect(size_t i, const std::string& evidence, bool passes = false) {
    const core::HealthCheck check = seen_.AwaitEvidence(i, evidence);
    EXPECT_EQ(check.evidence, evidence);
    EXPECT_EQ(check.passes, passes);
  }

  const Netns netns_;
  Seen seen_;
  std::unique_ptr<test::LoopThread> thread_;
  std::unique_ptr<Interfaces> interfaces_;
};

TEST_F(InterfacesTest, PassWhenUpWithACarrier) {
  EXPECT_EQ(seen_.AwaitPasses(0, false).name, "interface front");
  Expect(0, "has no carrier");
  netns_.Shell("ip link set far up");
  Expect(0, "is up and has a carrier", true);
  netns_.Shell("ip link set far down");
  Expect(0, "has no carrier");
  netns_.Shell("ip link set far up");
  Expect(0, "is up and has a carrier", true);
  netns_.Shell("ip link set front down");
  Expect(0, "is down");
  netns_.Shell("ip link set front up");
  Expect(0, "is up and has a carrier", true);
}

TEST_F(InterfacesTest, FailWhenDeletedOrRenamedAndPassWhenTheyAreBack) {
  Expect(1, "there is no such interface");
  netns_.Shell("ip link set far up");
  Expect(0, "is up and has a carrier", true);
  netns_.Shell("ip link set front down && ip link set front name back && ip link set back up");
  Expect(0, "there is no such interface");
  Expect(1, "is up and has a carrier", true);
  netns_.Shell("ip link del back");
  Expect(1, "there is no such interface");
  netns_.Shell(
      "ip link add front type veth peer name far && ip link set far up && ip link set front up");
  Expect(0, "is up and has a carrier", true);
}

TEST_F(InterfacesTest, AreThoseThatAreTrackedNow) {
  netns_.Shell("ip link set far up");
  thread_->Do([this] {
    interfaces_->Track({"far"});
    EXPECT_EQ(interfaces_->Results().size(), 1u);
    seen_.Tell(interfaces_->Results());
  });
  Expect(0, "is up and has a carrier", true);
  netns_.Shell("ip link set far down");
  Expect(0, "is down");
}

// More changes than the socket's buffer holds: what is told last is what is.
TEST_F(InterfacesTest, SurviveAFloodOfChanges) {
  netns_.Shell(
      "ip link set far up; i=0; while [ $i -lt 2000 ]; do echo link set front mtu $((1280 + i % "
      "7)); "
      "i=$((i + 1)); done | ip -batch -; ip link set front down");
  Expect(0, "is down");
}

}  // namespace
}  // namespace zcluster::health
