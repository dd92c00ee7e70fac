// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "agent/core/types.h"

// What we rely on of keepalived, as histories of two nodes and how they end. The same ones are held
// against the real keepalived and against the simulated one: where the two differ, whatever the
// simulation has proven is worth nothing.
//
// `Stage` is two keepalived as zagent configures them, without agents. Node 0 has the lower
// address.
//   Stage(absl::Duration advert_interval)
//   Start(n)                         one that does not run
//   SetFault(n), LiftFault(n)        a fault that lasts
//   LeaseFault(n, length)            one that ends by itself
//   LeaveFault(n)                    a fault file of another boot, or of nobody
//   UnlinkFault(n)
//   SetStanding(n, above)            the priority: 252 and so much
//   Terminate(n)                     SIGTERM
//   KillChild(n), KillParent(n), KillBoth(n)   SIGKILL
//   Hang(n), Wake(n)                 SIGSTOP and SIGCONT of the one that does VRRP
//   CutFrom(n), Heal()               its adverts are lost; none is
//   Reload(n)                        SIGHUP, with what it has
//   TakeTold(n)                      what it has told since the last time, by the notify FIFO
//   Holds(n)                         has all VIPs
//   Await(condition, limit = 20 s)   lets time pass; false if it does not come true
//   Now()
namespace zcluster::conformance {

using core::VrrpState;

// So long that what takes the skew alone, and what takes three adverts, cannot be mistaken for each
// other on any machine.
inline constexpr absl::Duration kSlow = absl::Seconds(1);
inline constexpr absl::Duration kFast = absl::Milliseconds(200);

template <typename Stage>
class Keepalived : public testing::Test {
 protected:
  // Node 0 serves, node 1 stands by, each told so.
  void Begin(absl::Duration interval) {
    interval_ = interval;
    stage_.reset();  // before another has its names
    stage_ = std::make_unique<Stage>(interval);
    for (std::vector<VrrpState>& told : told_) told.clear();
    stage_->Start(0);
    ASSERT_TRUE(AwaitTold(0, VrrpState::kMaster));
    stage_->SetStanding(0, 1);
    stage_->Start(1);
    ASSERT_TRUE(AwaitTold(1, VrrpState::kBackup));
    Pass(2 * interval);
    ASSERT_TRUE(Serves(0));
  }

  bool Tells(int node, VrrpState state) {
    for (const VrrpState told : stage_->TakeTold(node)) told_[node].push_back(told);
    return !told_[node].empty() && told_[node].back() == state;
  }
  bool AwaitTold(int node, VrrpState state) {
    return stage_->Await([&] { return Tells(node, state); });
  }
  // It alone.
  bool Serves(int node) { return stage_->Holds(node) && !stage_->Holds(1 - node); }
  bool AwaitServes(int node) {
    return stage_->Await([&] { return Serves(node); });
  }
  // As it is now, it stays: at each moment of six adverts' time.
  void ExpectToStay(int node) {
    EXPECT_FALSE(stage_->Await([&] { return !Serves(node); }, 6 * interval_));
  }
  // Of the history: nothing is awaited but that it is over.
  void Pass(absl::Duration length) {
    stage_->Await([] { return false; }, length);
  }
  // How long it takes `node` to have the VIPs, whoever else has them.
  absl::Duration TakesOver(int node) {
    const absl::Time begin = stage_->Now();
    return stage_->Await([&] { return stage_->Holds(node); }) ? stage_->Now() - begin
                                                              : absl::InfiniteDuration();
  }

  std::unique_ptr<Stage> stage_;
  absl::Duration interval_;
  std::vector<VrrpState> told_[2];  // since Begin, or a test's clear()
};

TYPED_TEST_SUITE_P(Keepalived);

TYPED_TEST_P(Keepalived, InFaultItsPeerServesAfterTheSkewAlone) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kSlow));
  this->stage_->SetFault(0);
  EXPECT_LT(this->TakesOver(1), kSlow);
  EXPECT_TRUE(this->AwaitServes(1));
  EXPECT_TRUE(this->AwaitTold(0, VrrpState::kFault));
  EXPECT_TRUE(this->AwaitTold(1, VrrpState::kMaster));
}

TYPED_TEST_P(Keepalived, DoesNotPreemptWhenItsFaultIsLifted) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kFast));
  this->stage_->SetFault(0);
  ASSERT_TRUE(this->AwaitServes(1));
  // It has the higher priority, too.
  this->stage_->LiftFault(0);
  EXPECT_TRUE(this->AwaitTold(0, VrrpState::kBackup));
  this->ExpectToStay(1);
}

TYPED_TEST_P(Keepalived, InFaultAtItsStartNeverServes) {
  this->interval_ = kFast;
  this->stage_ = std::make_unique<TypeParam>(kFast);
  this->stage_->SetFault(0);
  this->stage_->Start(0);
  EXPECT_TRUE(this->AwaitTold(0, VrrpState::kFault));
  this->Pass(10 * kFast);
  EXPECT_TRUE(this->Tells(0, VrrpState::kFault));
  EXPECT_EQ(std::count(this->told_[0].begin(), this->told_[0].end(), VrrpState::kMaster), 0);
  EXPECT_FALSE(this->stage_->Holds(0));
}

TYPED_TEST_P(Keepalived, IsFreeOnceItsFaultFileIsUnlinked) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kFast));
  this->stage_->SetFault(1);
  ASSERT_TRUE(this->AwaitTold(1, VrrpState::kFault));
  this->stage_->UnlinkFault(1);
  EXPECT_TRUE(this->AwaitTold(1, VrrpState::kBackup));
  this->ExpectToStay(0);
}

TYPED_TEST_P(Keepalived, EndsALeaseByItself) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kFast));
  this->stage_->LeaseFault(0, absl::Seconds(3));
  ASSERT_TRUE(this->AwaitServes(1));
  // Both in FAULT: nobody serves, until a lease is over.
  this->stage_->SetFault(1);
  EXPECT_TRUE(this->AwaitServes(0));
  this->ExpectToStay(0);
}

TYPED_TEST_P(Keepalived, EndsALeftOverFault) {
  this->interval_ = kFast;
  this->stage_ = std::make_unique<TypeParam>(kFast);
  this->stage_->LeaveFault(0);
  this->stage_->Start(0);
  EXPECT_TRUE(this->AwaitServes(0));
}

TYPED_TEST_P(Keepalived, SaysFarewellWhenTerminated) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kSlow));
  this->stage_->Terminate(0);
  EXPECT_LT(this->TakesOver(1), kSlow);
  EXPECT_TRUE(this->AwaitServes(1));
}

TYPED_TEST_P(Keepalived, SaysFarewellWhenItsParentIsKilled) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kSlow));
  this->stage_->KillParent(0);
  EXPECT_LT(this->TakesOver(1), kSlow);
  EXPECT_TRUE(this->AwaitServes(1));
}

TYPED_TEST_P(Keepalived, LosesTheVipsWithItsChildAndStandsBy) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kSlow));
  this->stage_->KillChild(0);
  EXPECT_GT(this->TakesOver(1), kSlow);
  EXPECT_TRUE(this->AwaitServes(1));
  EXPECT_TRUE(this->AwaitTold(0, VrrpState::kBackup));
  this->ExpectToStay(1);
}

TYPED_TEST_P(Keepalived, LeavesTheVipsBehindUntilItsNextStartWhenAllIsKilled) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kSlow));
  this->stage_->KillBoth(0);
  EXPECT_GT(this->TakesOver(1), kSlow);
  EXPECT_TRUE(this->stage_->Holds(0));
  this->stage_->Start(0);
  EXPECT_TRUE(this->AwaitServes(1));
  EXPECT_TRUE(this->AwaitTold(0, VrrpState::kBackup));
  this->ExpectToStay(1);
}

TYPED_TEST_P(Keepalived, ReloadsUnnoticed) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kFast));
  this->Tells(0, VrrpState::kMaster);
  this->Tells(1, VrrpState::kBackup);
  for (int node : {0, 1, 0, 1}) {
    this->told_[node].clear();
    this->stage_->Reload(node);
    this->ExpectToStay(0);
    // Whoever adopts one is told nothing by a reload, and asks elsewhere.
    this->Tells(node, VrrpState::kMaster);
    EXPECT_TRUE(this->told_[node].empty()) << node;
  }
}

TYPED_TEST_P(Keepalived, SettlesAHealedSplitByPriority) {
  for (int winner : {0, 1}) {
    ASSERT_NO_FATAL_FAILURE(this->Begin(kFast));
    this->stage_->CutFrom(0);
    this->stage_->CutFrom(1);
    ASSERT_TRUE(this->AwaitTold(1, VrrpState::kMaster));
    EXPECT_TRUE(this->stage_->Holds(0));
    this->stage_->SetStanding(1, winner == 1 ? 2 : 0);
    this->Pass(2 * kFast);
    this->stage_->Heal();
    EXPECT_TRUE(this->AwaitServes(winner));
    EXPECT_TRUE(this->AwaitTold(1 - winner, VrrpState::kBackup));
    this->ExpectToStay(winner);
  }
}

TYPED_TEST_P(Keepalived, SettlesAHealedSplitOfEqualsByAddress) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kFast));
  this->stage_->CutFrom(0);
  this->stage_->CutFrom(1);
  ASSERT_TRUE(this->AwaitTold(1, VrrpState::kMaster));
  this->stage_->SetStanding(1, 1);
  this->Pass(2 * kFast);
  this->stage_->Heal();
  EXPECT_TRUE(this->AwaitServes(1));
  this->ExpectToStay(1);
}

TYPED_TEST_P(Keepalived, TakesOverBehindAOneWayCutAndIsHeardByItsPriority) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kFast));
  this->stage_->CutFrom(0);
  ASSERT_TRUE(this->AwaitTold(1, VrrpState::kMaster));
  this->Pass(4 * kFast);
  EXPECT_TRUE(this->stage_->Holds(0));  // it hears a lower one, and stays
  this->stage_->SetStanding(1, 2);
  EXPECT_TRUE(this->AwaitServes(1));
  EXPECT_TRUE(this->AwaitTold(0, VrrpState::kBackup));
  this->stage_->Heal();
  this->ExpectToStay(1);
}

TYPED_TEST_P(Keepalived, BootingWithItsPeerEndsAsOne) {
  this->interval_ = kFast;
  this->stage_ = std::make_unique<TypeParam>(kFast);
  this->stage_->Start(0);
  this->stage_->Start(1);
  ASSERT_TRUE(this->stage_->Await([&] { return this->Serves(0) || this->Serves(1); }));
  // Two that were master at once settle within an advert.
  this->Pass(4 * kFast);
  ASSERT_TRUE(this->Serves(0) || this->Serves(1));
  this->ExpectToStay(this->Serves(0) ? 0 : 1);
}

TYPED_TEST_P(Keepalived, ThatHangsIsSucceededAndYieldsWhenItWakes) {
  ASSERT_NO_FATAL_FAILURE(this->Begin(kSlow));
  this->stage_->Hang(0);
  EXPECT_GT(this->TakesOver(1), kSlow);
  EXPECT_TRUE(this->stage_->Holds(0));  // nobody takes them away
  this->stage_->SetStanding(1, 2);
  this->Pass(2 * kSlow);
  this->stage_->Wake(0);
  EXPECT_TRUE(this->AwaitServes(1));
  EXPECT_TRUE(this->AwaitTold(0, VrrpState::kBackup));
  this->ExpectToStay(1);
}

REGISTER_TYPED_TEST_SUITE_P(Keepalived, InFaultItsPeerServesAfterTheSkewAlone,
                            DoesNotPreemptWhenItsFaultIsLifted, InFaultAtItsStartNeverServes,
                            IsFreeOnceItsFaultFileIsUnlinked, EndsALeaseByItself,
                            EndsALeftOverFault, SaysFarewellWhenTerminated,
                            SaysFarewellWhenItsParentIsKilled, LosesTheVipsWithItsChildAndStandsBy,
                            LeavesTheVipsBehindUntilItsNextStartWhenAllIsKilled, ReloadsUnnoticed,
                            SettlesAHealedSplitByPriority, SettlesAHealedSplitOfEqualsByAddress,
                            TakesOverBehindAOneWayCutAndIsHeardByItsPriority,
                            BootingWithItsPeerEndsAsOne, ThatHangsIsSucceededAndYieldsWhenItWakes);

}  // namespace zcluster::conformance
