// SPDX-License-Identifier: Apache-2.0
// A running pair takes another configuration in place.
#include <gmock/gmock.h>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using core::VrrpState;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ReconfigureTest : public HeartbeatTest {
 protected:
  // The pair at rest, watched from now on.
  void StartAndWatch() {
    StartPair();
    for (Node* node : {a_.get(), b_.get()}) {
      pids_.push_back(node->Vrrp());
      events_.emplace_back(node->On([] { return new AddressEvents; }));
    }
  }

  // Nobody moved, ever: every transition is heard through the FIFO.
  void ExpectNoTransition() {
    EXPECT_THAT(a_->reported().states(), ElementsAre(VrrpState::kBackup, VrrpState::kMaster));
    EXPECT_THAT(b_->reported().states(), ElementsAre(VrrpState::kBackup));
    EXPECT_EQ(a_->Vrrp(), pids_[0]);
    EXPECT_EQ(b_->Vrrp(), pids_[1]);
    for (Node* node : {a_.get(), b_.get()}) EXPECT_THAT(node->reported().problems(), Each(""));
  }

  static bool Has(Node& node, const Vip& vip) {
    return node.On([&] { return HasAddress(vip).value(); });
  }

  void SetInterval(absl::Duration interval) {
    a_->interval = b_->interval = *core::AdvertInterval::From(interval);
  }
  // The peer would take over after three of the old intervals, or be master for a moment at once.
  bool MovesWithin(absl::Duration length) {
    return WaitUntil(length, [&] {
      return b_->Holds() > 0 || a_->reported().states().size() > 2 ||
             b_->reported().states().size() > 1;
    });
  }

  std::vector<pid_t> pids_;
  std::vector<std::unique_ptr<AddressEvents>> events_;
};

TEST_F(ReconfigureTest, AddsAndRemovesAVipWithoutATransition) {
  ASSERT_NO_FATAL_FAILURE(StartAndWatch());
  const Vip added = {"192.0.2.101/24", "eth0"};
  for (Node* node : {a_.get(), b_.get()}) {
    node->vips.push_back(added);
    const absl::Status status = node->Reconfigure();
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_TRUE(Has(*a_, added));
  EXPECT_EQ(events_[0]->Count(), 1);  // that one alone
  EXPECT_EQ(b_->Holds(), 0U);

  for (Node* node : {a_.get(), b_.get()}) {
    node->vips.erase(node->vips.begin());
    const absl::Status status = node->Reconfigure();
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_FALSE(Has(*a_, {"192.0.2.100/24", "eth0"}));
  EXPECT_TRUE(a_->HoldsAll());
  EXPECT_FALSE(MovesWithin(absl::Seconds(1)));
  EXPECT_EQ(events_[0]->Count(), 2);
  EXPECT_EQ(events_[1]->Count(), 0);
  ExpectNoTransition();
}

TEST_F(ReconfigureTest, MovesTheNewVipsAtTheNextFailover) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  for (Node* node : {a_.get(), b_.get()}) {
    node->vips = {{"192.0.2.101/24", "eth0"}};
    ASSERT_TRUE(node->Reconfigure().ok());
  }
  a_->Perform(core::SetFault{"switchover"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll() && a_->Holds() == 0; }));
  EXPECT_FALSE(Has(*b_, {"192.0.2.100/24", "eth0"}));
}

TEST_F(ReconfigureTest, LowersTheIntervalWithoutATransitionMasterFirst) {
  SetInterval(absl::Seconds(1));
  ASSERT_NO_FATAL_FAILURE(StartAndWatch());
  SetInterval(absl::Milliseconds(100));
  ASSERT_TRUE(a_->Reconfigure().ok());
  ASSERT_TRUE(b_->Reconfigure().ok());
  EXPECT_FALSE(MovesWithin(absl::Seconds(4)));
  ExpectNoTransition();
  // It holds: the peer takes over as soon as the new interval has it.
  const absl::Time killed = absl::Now();
  ::kill(a_->Keepalived(), SIGSTOP);
  ::kill(a_->Vrrp(), SIGKILL);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  EXPECT_LT(absl::Now() - killed, absl::Seconds(2));
}

TEST_F(ReconfigureTest, RaisesTheIntervalWithoutATransitionBackupFirst) {
  ASSERT_NO_FATAL_FAILURE(StartAndWatch());
  SetInterval(absl::Seconds(1));
  ASSERT_TRUE(b_->Reconfigure().ok());
  ASSERT_TRUE(a_->Reconfigure().ok());
  EXPECT_FALSE(MovesWithin(absl::Seconds(4)));
  ExpectNoTransition();
}

TEST_F(ReconfigureTest, ChangesNothingIfKeepalivedRefuses) {
  ASSERT_NO_FATAL_FAILURE(StartAndWatch());
  const std::vector<Vip> before = a_->vips;
  a_->vips.push_back({"192.0.2.101/24", "eth7"});
  const absl::Status status = a_->Reconfigure();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("eth7"));
  a_->vips = before;
  EXPECT_EQ(*ReadFile(a_->MakeOptions().ConfigPath()), Render(a_->MakeOptions()));
  EXPECT_TRUE(a_->HoldsAll());
  EXPECT_EQ(events_[0]->Count(), 0);
  ExpectNoTransition();
}

TEST_F(ReconfigureTest, RefusesWhatKeepalivedWouldMisread) {
  a_->StartAgent();
  a_->vips.push_back({"192.0.2.101/24", "eth0 }"});
  EXPECT_EQ(a_->Reconfigure().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ReconfigureTest, IsKeptByTheNextKeepalivedAndTheNextAgent) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  a_->vips = {{"192.0.2.101/24", "eth0"}};
  ASSERT_TRUE(a_->Reconfigure().ok());
  const pid_t pid = a_->Keepalived();
  ::kill(pid, SIGTERM);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  b_->Perform(core::SetFault{"switchover"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
  EXPECT_FALSE(Has(*a_, {"192.0.2.100/24", "eth0"}));
}

TEST_F(ReconfigureTest, TakesAVipOffThatADeadKeepalivedLeft) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  // Alone: nobody takes over, and what stays is what nobody takes off.
  b_->Perform(core::SetFault{"maintenance"});
  a_->StopAgent();
  ::kill(a_->Keepalived(), SIGSTOP);
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  ::kill(vrrp, SIGKILL);
  ::kill(parent, SIGKILL);
  const Vip old = a_->vips[0];
  ASSERT_TRUE(Has(*a_, old));
  // Meanwhile the pair's configuration lost it.
  a_->vips.erase(a_->vips.begin());
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
  EXPECT_FALSE(Has(*a_, old));
}

TEST_F(ReconfigureTest, IsTakenByTheNextStartWhileKeepalivedIsDead) {
  // It cannot be started: its interface is missing.
  a_->interface = "eth7";
  a_->vips.clear();
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return !a_->reported().problems().empty(); }));
  Must({"-n", a_->network(), "link", "set", "eth0", "down"});
  Must({"-n", a_->network(), "link", "set", "eth0", "name", "eth7"});
  Must({"-n", a_->network(), "link", "set", "eth7", "up"});
  a_->vips = {{"192.0.2.101/24", "eth7"}};
  const absl::Status status = a_->Reconfigure();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
}

TEST_F(ReconfigureTest, SurvivesBeingToldWhileKeepalivedStarts) {
  a_->StartAgent();
  for (int i = 1; i <= 5; ++i) {
    a_->vips.push_back({absl::StrCat("192.0.2.", 110 + i, "/24"), "eth0"});
    const absl::Status status = a_->Reconfigure();
    ASSERT_TRUE(status.ok()) << status;
  }
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster); }));
  EXPECT_TRUE(a_->HoldsAll());
  EXPECT_THAT(a_->reported().states(), ElementsAre(VrrpState::kBackup, VrrpState::kMaster));
  EXPECT_THAT(a_->reported().problems(), Each(""));
}

TEST_F(ReconfigureTest, IsDoneOneAfterTheOther) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  std::promise<absl::Status> first, second;
  a_->On([&] {
    a_->heartbeat().Reconfigure(a_->MakeOptions(), [&](auto status) { first.set_value(status); });
    a_->heartbeat().Reconfigure(a_->MakeOptions(), [&](auto status) { second.set_value(status); });
  });
  EXPECT_EQ(second.get_future().get().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(first.get_future().get().ok());
}

TEST_F(ReconfigureTest, TakesAnotherRouterId) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  b_->Perform(core::SetFault{"maintenance"});
  const Vip anchor = AnchorOf(a_->MakeOptions());
  a_->router_id = b_->router_id = 99;
  ASSERT_TRUE(a_->Reconfigure().ok());
  ASSERT_TRUE(b_->Reconfigure().ok());
  EXPECT_FALSE(Has(*a_, anchor));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
  EXPECT_EQ(b_->Holds(), 0U);
  EXPECT_TRUE(a_->reported().LastIs(VrrpState::kMaster));
}

TEST_F(ReconfigureTest, ChecksAProposalAndChangesNothing) {
  ASSERT_NO_FATAL_FAILURE(StartAndWatch());
  Options proposal = a_->MakeOptions();
  proposal.vips = {{"192.0.2.101/24", "eth0"}};
  absl::Status status = a_->Check(proposal);
  EXPECT_TRUE(status.ok()) << status;
  proposal.vips = {{"192.0.2.101/24", "eth7"}};
  status = a_->Check(proposal);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("eth7"));
  EXPECT_TRUE(a_->HoldsAll());
  EXPECT_EQ(events_[0]->Count(), 0);
  for (const auto& entry : std::filesystem::directory_iterator(proposal.state_dir))
    EXPECT_THAT(entry.path().string(), Not(HasSubstr("proposal")));
  ExpectNoTransition();
}

TEST_F(ReconfigureTest, ChecksSeveralProposalsAtOnceOnANodeInNoPair) {
  Options wrong = a_->MakeOptions();
  wrong.vips = {{"192.0.2.101/24", "eth7"}};
  int good = 0, refused = 0;
  std::promise<void> all;
  a_->On([&] {
    for (int i = 0; i < 6; ++i) {
      Heartbeat::CheckConfig(a_->loop(), i % 2 == 0 ? a_->MakeOptions() : wrong,
                             [&](const absl::Status& status) {
                               ++(status.ok() ? good : refused);
                               if (good + refused == 6) all.set_value();
                             });
    }
  });
  all.get_future().get();
  EXPECT_EQ(good, 3);
  EXPECT_EQ(refused, 3);
}

}  // namespace
}  // namespace zcluster::heartbeat
