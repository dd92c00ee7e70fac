// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/jobs.h"

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "tests/agent/conntrack/netns.h"

namespace zcluster::conntrack {
namespace {

// Ends when it is halted.
void UntilHalted(Halt& halt) {
  absl::Notification halted;
  const Halt::Waiting waiting(halt, [&] { halted.Notify(); });
  halted.WaitForNotification();
}

TEST(Jobs, AreSoManyAtMost) {
  Jobs jobs(2);
  EXPECT_TRUE(jobs.Start(UntilHalted));
  EXPECT_TRUE(jobs.Start(UntilHalted));
  EXPECT_FALSE(jobs.Start(UntilHalted));
}

TEST(Jobs, MakeRoomWhenTheyEnd) {
  Jobs jobs(1);
  absl::Notification go;
  EXPECT_TRUE(jobs.Start([&](Halt&) { go.WaitForNotification(); }));
  EXPECT_FALSE(jobs.Start(UntilHalted));
  go.Notify();
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return jobs.Start(UntilHalted); }));
}

TEST(Jobs, AreHaltedByStopAndNoneComesAfterIt) {
  Jobs jobs(2);
  bool halted = false;
  EXPECT_TRUE(jobs.Start([&](Halt& halt) {
    UntilHalted(halt);
    halted = halt.IsSet();
  }));
  jobs.Stop();
  EXPECT_TRUE(halted);
  EXPECT_FALSE(jobs.Start(UntilHalted));
}

TEST(Halt, EndsAWaitThatBeginsAfterIt) {
  Halt halt;
  halt.Set();
  bool ended = false;
  const Halt::Waiting waiting(halt, [&] { ended = true; });
  EXPECT_TRUE(ended);
}

TEST(Halt, DoesNotEndAWaitThatIsOver) {
  Halt halt;
  bool ended = false;
  {
    const Halt::Waiting waiting(halt, [&] { ended = true; });
  }
  halt.Set();
  EXPECT_FALSE(ended);
}

}  // namespace
}  // namespace zcluster::conntrack
