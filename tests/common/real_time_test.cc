// SPDX-License-Identifier: Apache-2.0
#include "common/real_time.h"

#include <gmock/gmock.h>
#include <sched.h>

#include <thread>

namespace zcluster {
namespace {

int PriorityOf(pid_t pid) {
  sched_param parameters = {};
  if ((::sched_getscheduler(pid) & ~SCHED_RESET_ON_FORK) != SCHED_RR) return 0;
  return ::sched_getparam(pid, &parameters) == 0 ? parameters.sched_priority : -1;
}

TEST(RunInRealTime, IsTheThreadsAloneOrAlsoWhatItStarts) {
  for (const bool alone : {true, false}) {
    int inherited = -1;
    std::thread thread([&] {
      const absl::Status status = RunInRealTime(0, 7, alone);
      ASSERT_TRUE(status.ok()) << status;
      EXPECT_EQ(PriorityOf(0), 7);
      std::thread([&] { inherited = PriorityOf(0); }).join();
    });
    thread.join();
    EXPECT_EQ(inherited, alone ? 0 : 7);
  }
}

TEST(RunInRealTime, SaysWhatItTakes) {
  const absl::Status status = RunInRealTime(0, 1000, true);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("CAP_SYS_NICE"));
}

TEST(Urgency, IsRealTimeAsLongAsItLasts) {
  std::thread([] {
    Urgency urgency(7);
    EXPECT_EQ(PriorityOf(0), 0);
    urgency.Set(true);
    EXPECT_EQ(PriorityOf(0), 7);
    urgency.Set(false);
    EXPECT_EQ(PriorityOf(0), 0);
  }).join();
}

}  // namespace
}  // namespace zcluster
