// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/refusals.h"

#include <gmock/gmock.h>

#include <string>

namespace zcluster::controller {
namespace {

using ::testing::HasSubstr;

TEST(Refusals, AreAllCountedAndAFewLogged) {
  Refusals refusals("test_refused");
  const absl::Time start = absl::FromUnixSeconds(1000);
  ::testing::internal::CaptureStderr();
  int logged = 0;
  for (int i = 0; i < 1000; ++i) logged += refusals.Note("web-1/a", "expired", start);
  EXPECT_EQ(logged, 5);
  EXPECT_EQ(refusals.count(), 1000u);
  EXPECT_TRUE(refusals.Note("", "expired", start + absl::Seconds(1)));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("test_refused who=web-1/a reason=expired"));
  EXPECT_THAT(log, HasSubstr("test_refused reason=expired not_logged_before=995"));
}

}  // namespace
}  // namespace zcluster::controller
