// SPDX-License-Identifier: Apache-2.0
#include "common/listen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster {
namespace {

using testing::HasSubstr;

// An address that is taken: tests/agent/peer/server_test.cc.
TEST(Listen, NamesAnAddressThatIsNotOurs) {
  EXPECT_THAT(WhyNotListening("192.0.2.1:7700").message(),
              HasSubstr("cannot listen on 192.0.2.1:7700: Cannot assign requested address"));
}

TEST(Listen, NamesAnAddressThatIsNone) {
  EXPECT_EQ(WhyNotListening("here").message(), "cannot listen on here: ADDRESS:PORT expected");
}

TEST(Listen, IsNeverOkEvenWithNothingInTheWay) {
  EXPECT_EQ(WhyNotListening("127.0.0.1:0").code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace zcluster
