// SPDX-License-Identifier: Apache-2.0
// A real keepalived that hangs, in the ways that there are: nobody stopped it, it does not end, it
// just does nothing any more.
#include <gmock/gmock.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "tests/agent/heartbeat/freezer.h"
#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using core::VrrpState;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;

class HangTest : public HeartbeatTest {
 protected:
  static bool Told(const Node& node, const std::string& words) {
    const std::vector<std::string> problems = node.reported().problems();
    return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
      return absl::StrContains(problem, words);
    });
  }

  // `a_`, which was master, hangs: its peer serves, it does not, and stands by in the end with
  // another keepalived than before.
  void ExpectAToStandBy(pid_t parent, pid_t vrrp) {
    ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
    ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->Holds() == 0; })) << "VIPs on two nodes";
    ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
    EXPECT_THAT(a_->reported().states(), Contains(VrrpState::kDown));
    EXPECT_THAT(a_->reported().problems(),
                Contains(HasSubstr(absl::StrCat("process ", vrrp, " hangs (state "))));
    EXPECT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().problems().back().empty(); }));
    EXPECT_NE(a_->Keepalived(), parent);
    ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->Vrrp() > 0 && a_->Vrrp() != vrrp; }));
    EXPECT_EQ(a_->Holds(), 0U);
    EXPECT_TRUE(b_->HoldsAll());
    EXPECT_THAT(b_->reported().problems(), Each(""));
    // It works as before.
    b_->Perform(core::SetFault{"switchover"});
    EXPECT_TRUE(WaitUntil(
        kLimit, [&] { return a_->HoldsAll() && a_->reported().LastIs(VrrpState::kMaster); }));
  }
};

TEST_F(HangTest, OfAMasterFrozenEndsOnceItsPeerHasTakenOver) {
  Freezer freezer(Freezer::Version::kTwo);
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  freezer.Freeze({vrrp});
  ExpectAToStandBy(parent, vrrp);
}

TEST_F(HangTest, OfBothProcessesEndsTheSameWay) {
  Freezer freezer(Freezer::Version::kTwo);
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  freezer.Freeze({parent, vrrp});
  ExpectAToStandBy(parent, vrrp);
}

TEST_F(HangTest, OfAMasterThatSpinsEndsOnceItsPeerHasTakenOver) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  if (!Tracer(vrrp).Spin()) GTEST_SKIP() << "no code for this processor";
  ExpectAToStandBy(parent, vrrp);
}

TEST_F(HangTest, OfAMasterThatADebuggerHoldsEndsTheSameWay) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  {
    const Tracer tracer(vrrp);
    ASSERT_TRUE(WaitUntil(kLimit, [&] { return Told(*a_, "hung and was killed"); }));
  }
  ExpectAToStandBy(parent, vrrp);
}

TEST_F(HangTest, OfAMasterAloneTakesNothingAway) {
  Freezer freezer(Freezer::Version::kTwo);
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(
      kLimit, [&] { return a_->HoldsAll() && a_->reported().LastIs(VrrpState::kMaster); }));
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  std::unique_ptr<AddressEvents> events(a_->On([] { return new AddressEvents; }));
  const std::vector<VrrpState> before = a_->reported().states();
  freezer.Freeze({vrrp});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return Told(*a_, "serves on"); }));
  EXPECT_FALSE(WaitUntil(absl::Seconds(4), [&] { return events->Count() > 0; }));
  EXPECT_EQ(a_->reported().states(), before);

  // It comes round.
  freezer.Thaw();
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().problems().back().empty(); }));
  EXPECT_EQ(events->Count(), 0);
  EXPECT_EQ(a_->Vrrp(), vrrp);

  // A peer comes, hears nobody, and takes over.
  freezer.Freeze({vrrp});
  b_->StartAgent();
  ExpectAToStandBy(parent, vrrp);
}

TEST_F(HangTest, OfAMasterDoesNotKeepItFromStandingAside) {
  Freezer freezer(Freezer::Version::kTwo);
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(
      kLimit, [&] { return a_->HoldsAll() && a_->reported().LastIs(VrrpState::kMaster); }));
  freezer.Freeze({a_->Vrrp()});
  a_->Perform(core::SetFault{"maintenance"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->Holds() == 0; }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
  EXPECT_EQ(a_->Holds(), 0U);
}

TEST_F(HangTest, OfAStandbyIsToldAndEndedWithoutAWordToTheMaster) {
  Freezer freezer(Freezer::Version::kTwo);
  ASSERT_NO_FATAL_FAILURE(StartPair());
  std::unique_ptr<AddressEvents> events(a_->On([] { return new AddressEvents; }));
  const pid_t vrrp = b_->Vrrp();
  freezer.Freeze({vrrp});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return Told(*b_, "it will be killed if that lasts"); }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return Told(*b_, "hung and was killed"); }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] {
    return b_->reported().LastIs(VrrpState::kBackup) && b_->reported().problems().back().empty();
  }));
  EXPECT_NE(b_->Vrrp(), vrrp);
  EXPECT_EQ(events->Count(), 0);
  EXPECT_THAT(a_->reported().problems(), Each(""));
  // It takes over as before.
  a_->Perform(core::SetFault{"switchover"});
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
}

TEST_F(HangTest, InTheKernelTakesTheAddressesOffAllTheSame) {
  Freezer freezer(Freezer::Version::kOne);
  if (!freezer.exists()) GTEST_SKIP() << "no version 1 freezer";
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  freezer.Freeze({vrrp});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll() && a_->Holds() == 0; }));
  ASSERT_TRUE(WaitUntil(
      kLimit, [&] { return Told(*a_, "was killed, but does not end: it hangs in the kernel"); }));
  EXPECT_EQ(::kill(vrrp, 0), 0);
  EXPECT_TRUE(a_->reported().LastIs(VrrpState::kDown));
  EXPECT_EQ(a_->Holds(), 0U);
  EXPECT_TRUE(b_->HoldsAll());
  freezer.Thaw();
  ExpectAToStandBy(parent, vrrp);
}

TEST_F(HangTest, OfTheParentIsNoticedOnceItIsNeeded) {
  Freezer freezer(Freezer::Version::kTwo);
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = b_->Keepalived(), vrrp = b_->Vrrp();
  freezer.Freeze({parent});
  ASSERT_EQ(::kill(vrrp, SIGKILL), 0);
  ASSERT_TRUE(WaitUntil(2 * kLimit, [&] {
    return b_->Keepalived() != parent && b_->Vrrp() > 0 && b_->Vrrp() != vrrp &&
           b_->reported().LastIs(VrrpState::kBackup);
  }));
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().problems().back().empty(); }));
  EXPECT_TRUE(a_->HoldsAll());
}

}  // namespace
}  // namespace zcluster::heartbeat
