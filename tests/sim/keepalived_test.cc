// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/keepalived.h"

#include <array>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace zcluster::sim {
namespace {

using core::VrrpState;

constexpr absl::Duration kInterval = absl::Seconds(1);

// Two of them on one wire, as the conformance facts were measured: adverts each second.
class TwoKeepalived : public testing::Test {
 protected:
  TwoKeepalived() {
    for (size_t i : {size_t{0}, size_t{1}}) {
      nodes_[i] = std::make_unique<Keepalived>(
          clock_, random_, files_[i], kInterval,
          Keepalived::World{.send_advert = [this, i](const Advert& advert) { Carry(i, advert); },
                            .changed = [](VrrpState) {},
                            .died = [] {}});
    }
  }

  void Carry(size_t from, const Advert& advert) {
    if (cut_) return;
    clock_.After(absl::Microseconds(200),
                 [this, from, advert] { nodes_[1 - from]->Receive(advert, from == 1); });
  }

  // The time that passes until node `i` says `state`; infinite if it does not within 20 s.
  absl::Duration Until(size_t i, VrrpState state) {
    const absl::Time begin = clock_.now();
    while (nodes_[i]->state() != state) {
      if (clock_.now() > begin + absl::Seconds(20)) return absl::InfiniteDuration();
      if (!clock_.RunNext()) return absl::InfiniteDuration();
    }
    return clock_.now() - begin;
  }

  void Pass(absl::Duration length) {
    bool over = false;
    clock_.After(length, [&over] { over = true; });
    while (!over) clock_.RunNext();
  }

  void SetFault(size_t i, bool fault) {
    files_[i].fault = fault;
    nodes_[i]->NoticeFiles();
  }

  // Node 0 is master, node 1 stands by.
  void Begin() {
    nodes_[0]->Start();
    Until(0, VrrpState::kMaster);
    files_[0].priority = 253;
    nodes_[0]->NoticeFiles();
    nodes_[1]->Start();
    Pass(absl::Seconds(5));
    ASSERT_EQ(nodes_[0]->state(), VrrpState::kMaster);
    ASSERT_EQ(nodes_[1]->state(), VrrpState::kBackup);
  }

  Clock clock_;
  Random random_{7};
  std::array<TrackedFiles, 2> files_;
  std::array<std::unique_ptr<Keepalived>, 2> nodes_;
  bool cut_ = false;
};

TEST_F(TwoKeepalived, TakeOverAfterThreeAdvertsAndTheSkew) {
  Begin();
  nodes_[0]->PowerCut();
  const absl::Duration took = Until(1, VrrpState::kMaster);
  EXPECT_GT(took, 2 * kInterval);
  EXPECT_LE(took, 3 * kInterval + kInterval / 32);
}

TEST_F(TwoKeepalived, TakeOverAfterTheSkewAloneWhenTheMasterIsInFault) {
  Begin();
  SetFault(0, true);
  EXPECT_LT(Until(1, VrrpState::kMaster), absl::Milliseconds(25));
  EXPECT_EQ(nodes_[0]->state(), VrrpState::kFault);
  EXPECT_FALSE(nodes_[0]->holds_vips());
}

TEST_F(TwoKeepalived, DoNotPreemptWhenAFaultIsLifted) {
  Begin();
  SetFault(0, true);
  Until(1, VrrpState::kMaster);
  SetFault(0, false);
  Pass(absl::Seconds(10));
  EXPECT_EQ(nodes_[0]->state(), VrrpState::kBackup);
  EXPECT_EQ(nodes_[1]->state(), VrrpState::kMaster);
}

TEST_F(TwoKeepalived, StartInFaultWhenTheFileSaysSo) {
  files_[0].fault = true;
  files_[0].lease_ends = absl::InfiniteFuture();
  nodes_[0]->Start();
  Pass(absl::Seconds(10));
  EXPECT_EQ(nodes_[0]->state(), VrrpState::kFault);
}

TEST_F(TwoKeepalived, DoNotStandAsideForAFaultWhoseLeaseIsOver) {
  files_[0].fault = true;
  files_[0].lease_ends = clock_.now() + absl::Seconds(15);
  nodes_[0]->Start();
  Pass(absl::Seconds(10));
  EXPECT_EQ(nodes_[0]->state(), VrrpState::kFault);
  EXPECT_NE(Until(0, VrrpState::kMaster), absl::InfiniteDuration());
}

TEST_F(TwoKeepalived, SettleAHealedSplitByPriorityAndThenByAddress) {
  Begin();
  cut_ = true;
  Until(1, VrrpState::kMaster);
  files_[1].priority = 252;
  cut_ = false;
  Pass(absl::Seconds(2));
  EXPECT_EQ(nodes_[0]->state(), VrrpState::kMaster);  // 253 against 252
  cut_ = true;
  Until(1, VrrpState::kMaster);
  files_[1].priority = 253;
  nodes_[1]->NoticeFiles();
  Pass(absl::Seconds(1));
  cut_ = false;
  Pass(absl::Seconds(2));
  EXPECT_EQ(nodes_[1]->state(), VrrpState::kMaster);  // equal: the higher address
  EXPECT_EQ(nodes_[0]->state(), VrrpState::kBackup);
}

TEST_F(TwoKeepalived, LoseTheVipsWithTheChildAndComeBackAsBackup) {
  Begin();
  nodes_[0]->KillChild();
  EXPECT_TRUE(nodes_[0]->running());
  EXPECT_LE(Until(0, VrrpState::kBackup), absl::Milliseconds(140));
  EXPECT_FALSE(nodes_[0]->holds_vips());
  EXPECT_NE(Until(1, VrrpState::kMaster), absl::InfiniteDuration());
}

TEST_F(TwoKeepalived, SayFarewellWhenTheParentIsKilled) {
  Begin();
  nodes_[0]->KillParent();
  EXPECT_FALSE(nodes_[0]->running());
  EXPECT_FALSE(nodes_[0]->holds_vips());
  EXPECT_LT(Until(1, VrrpState::kMaster), absl::Milliseconds(25));
}

TEST_F(TwoKeepalived, LeaveTheVipsBehindWhenAllIsKilledUntilTheNextStart) {
  Begin();
  nodes_[0]->KillBoth();
  EXPECT_TRUE(nodes_[0]->holds_vips());
  Until(1, VrrpState::kMaster);
  EXPECT_TRUE(nodes_[0]->holds_vips());
  nodes_[0]->Start();
  EXPECT_FALSE(nodes_[0]->holds_vips());
  EXPECT_EQ(nodes_[0]->state(), VrrpState::kBackup);
}

TEST_F(TwoKeepalived, ChangeTheIntervalWithoutAMoveIfTheMasterIsTheFirstToBeFaster) {
  Begin();
  const auto reload = [this](size_t i, absl::Duration interval) {
    nodes_[i]->Reload(interval);
    Pass(absl::Seconds(3));
    EXPECT_EQ(nodes_[0]->state(), VrrpState::kMaster);
    EXPECT_EQ(nodes_[1]->state(), VrrpState::kBackup);
  };
  for (size_t i : {size_t{0}, size_t{1}}) reload(i, absl::Milliseconds(100));
  for (size_t i : {size_t{1}, size_t{0}}) reload(i, kInterval);
}

TEST_F(TwoKeepalived, TakeOverForAMomentWhenTheBackupIsMadeFasterFirst) {
  Begin();
  Pass(kInterval / 10);  // just after an advert
  nodes_[1]->Reload(absl::Milliseconds(10));
  EXPECT_LT(Until(1, VrrpState::kMaster), kInterval);
  Pass(kInterval);
  EXPECT_EQ(nodes_[0]->state(), VrrpState::kMaster);
  EXPECT_EQ(nodes_[1]->state(), VrrpState::kBackup);
}

}  // namespace
}  // namespace zcluster::sim
