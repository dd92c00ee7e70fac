// SPDX-License-Identifier: Apache-2.0
#include "agent/core/advert_interval.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace zcluster::core {
namespace {

TEST(AdvertInterval, CarriesTenMillisecondsToFortySecondsInSteps) {
  for (absl::Duration interval : {absl::Milliseconds(10), absl::Milliseconds(100), absl::Seconds(1),
                                  absl::Milliseconds(40950)}) {
    auto made = AdvertInterval::From(interval);
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(made->duration(), interval);
  }
}

TEST(AdvertInterval, RefusesWhatVrrpCannotCarryAndSaysWhatItCan) {
  for (absl::Duration interval :
       {absl::ZeroDuration(), absl::Milliseconds(-10), absl::Milliseconds(5),
        absl::Milliseconds(15), absl::Milliseconds(40960), absl::InfiniteDuration()}) {
    auto made = AdvertInterval::From(interval);
    EXPECT_EQ(made.status().code(), absl::StatusCode::kOutOfRange) << interval;
    EXPECT_THAT(std::string(made.status().message()), testing::HasSubstr("use 10ms to 40.95s"));
  }
}

}  // namespace
}  // namespace zcluster::core
