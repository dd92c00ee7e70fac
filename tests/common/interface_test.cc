// SPDX-License-Identifier: Apache-2.0
#include "common/interface.h"

#include <gtest/gtest.h>
#include <poll.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/netns.h"

namespace zcluster {
namespace {

class InterfaceTest : public testing::Test {
 protected:
  InterfaceTest() { netns_.Shell("ip link add front type veth peer name far"); }

  // The kernel tells a carrier a little later.
  void ExpectSoon(const std::string& name, InterfaceState expected) const {
    netns_.Run([&] {
      const absl::Time deadline = absl::Now() + absl::Seconds(20);
      while (StateOfInterface(name) != expected && absl::Now() < deadline) ::poll(nullptr, 0, 1);
      EXPECT_EQ(StateOfInterface(name), expected);
      EXPECT_EQ(InterfaceRuns(name), expected == InterfaceState::kRuns);
    });
  }

  const Netns netns_;
};

TEST_F(InterfaceTest, RunsWithACarrier) {
  ExpectSoon("front", InterfaceState::kDown);
  netns_.Shell("ip link set front up");
  ExpectSoon("front", InterfaceState::kNoCarrier);
  netns_.Shell("ip link set far up");
  ExpectSoon("front", InterfaceState::kRuns);
  netns_.Shell("ip link set far down");
  ExpectSoon("front", InterfaceState::kNoCarrier);
  netns_.Shell("ip link del far");
  ExpectSoon("front", InterfaceState::kMissing);
}

}  // namespace
}  // namespace zcluster
