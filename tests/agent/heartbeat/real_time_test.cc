// SPDX-License-Identifier: Apache-2.0
#include "common/real_time.h"

#include <gtest/gtest.h>
#include <sched.h>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using core::VrrpState;

int PriorityOf(pid_t pid) {
  sched_param parameters = {};
  if ((::sched_getscheduler(pid) & ~SCHED_RESET_ON_FORK) != SCHED_RR) return 0;
  return ::sched_getparam(pid, &parameters) == 0 ? parameters.sched_priority : -1;
}

using RealTimeTest = HeartbeatTest;

TEST_F(RealTimeTest, IsKeepalivedsAndTheLoopsBelowIt) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  EXPECT_TRUE(WaitUntil(kLimit, [&] {
    return PriorityOf(a_->Vrrp()) == kKeepalivedPriority &&
           PriorityOf(a_->Keepalived()) == kKeepalivedPriority;
  }));
  EXPECT_EQ(a_->On([] { return PriorityOf(0); }), kAgentPriority);
}

TEST_F(RealTimeTest, IsThereAgainAfterKeepalivedMadeANewProcessAndIsKeptOverReloads) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t first = b_->Vrrp();
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  ASSERT_TRUE(WaitUntil(kLimit, [&] {
    const pid_t vrrp = b_->Vrrp();
    return vrrp > 0 && vrrp != first && PriorityOf(vrrp) == kKeepalivedPriority;
  }));

  std::unique_ptr<AddressEvents> events(a_->On([] { return new AddressEvents; }));
  const pid_t master = a_->Vrrp();
  const std::vector<VrrpState> before = a_->reported().states();
  for (int i = 0; i < 10; ++i) {
    const absl::Status status = a_->Reconfigure();
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(PriorityOf(master), kKeepalivedPriority);
  }
  EXPECT_EQ(a_->Vrrp(), master);
  EXPECT_EQ(events->Count(), 0);
  EXPECT_EQ(a_->reported().states(), before);

  // Whoever takes it away does not have it away for long.
  sched_param ordinary = {};
  ASSERT_EQ(::sched_setscheduler(master, SCHED_OTHER, &ordinary), 0);
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return PriorityOf(master) == kKeepalivedPriority; }));
}

}  // namespace
}  // namespace zcluster::heartbeat
