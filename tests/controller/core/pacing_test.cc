// SPDX-License-Identifier: Apache-2.0
#include "controller/core/pacing.h"

#include <gtest/gtest.h>

namespace zcluster::controller {
namespace {

double Seconds(const google::protobuf::Duration& d) {
  return static_cast<double>(d.seconds()) + d.nanos() / 1e9;
}

TEST(Pacing, BringsNoMoreThanFiveHundredBackASecond) {
  for (const size_t agents : {1UL, 100UL, 5'000UL, 20'000UL, 100'000UL}) {
    for (const v1::Pacing& pacing : {PacingFor(agents), PacingOfAStop(agents)}) {
      const double spread = Seconds(pacing.reconnect_before()) - Seconds(pacing.reconnect_after());
      EXPECT_LE(static_cast<double>(agents) / spread, kConnectsPerSecond + 1) << agents;
    }
  }
}

TEST(Pacing, KeepsTheProtocolsBounds) {
  const v1::Pacing most = PacingOfAStop(10'000'000);
  EXPECT_LE(Seconds(most.reconnect_after()), 60);
  EXPECT_EQ(Seconds(most.reconnect_before()), 300);
  EXPECT_LT(Seconds(PacingFor(0).reconnect_after()), Seconds(PacingFor(0).reconnect_before()));
}

TEST(Pacing, LetsASmallFleetComeBackSoon) {
  EXPECT_LE(Seconds(PacingFor(10).reconnect_before()), 1.3);
}

}  // namespace
}  // namespace zcluster::controller
