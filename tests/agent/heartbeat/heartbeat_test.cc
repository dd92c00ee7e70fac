// SPDX-License-Identifier: Apache-2.0
// The adapter with the real keepalived, two nodes on one wire.
#include "agent/heartbeat/heartbeat.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>

#include "agent/core/boot_gate.h"
#include "agent/heartbeat/fault.h"
#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using core::VrrpState;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(HeartbeatTest, MovesTheVipsOfBothFamiliesByFault) {
  // With a second between adverts the timer would need three of them, a FAULT needs the skew alone.
  a_->interval = b_->interval = *core::AdvertInterval::From(absl::Seconds(1));
  ASSERT_NO_FATAL_FAILURE(StartPair());
  EXPECT_EQ(b_->Holds(), 0U);

  const absl::Time asked = absl::Now();
  a_->Perform(core::SetFault{"switchover"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  EXPECT_LT(absl::Now() - asked, absl::Seconds(1));
  RecordProperty("fault_to_vips_us",
                 std::to_string(absl::ToInt64Microseconds(absl::Now() - asked)));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().LastIs(VrrpState::kMaster); }));
  EXPECT_EQ(a_->Holds(), 0U);

  a_->Perform(core::SetFault{""});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_TRUE(b_->HoldsAll());
  EXPECT_THAT(b_->reported().states(), ElementsAre(VrrpState::kBackup, VrrpState::kMaster));
  EXPECT_THAT(a_->reported().problems(), Each(""));
}

TEST_F(HeartbeatTest, HasUsableIpv6VipsAtOnce) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const UniqueFd socket(a_->On([] { return ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0); }));
  sockaddr_in6 vip = {};
  vip.sin6_family = AF_INET6;
  const absl::StatusOr<Address> address = Address::Parse("2001:db8::100");
  std::memcpy(&vip.sin6_addr, address->data(), address->size());
  // A tentative address cannot be bound.
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&vip), sizeof vip), 0)
      << std::strerror(errno);
}

TEST_F(HeartbeatTest, TakesAVipOffAStandbyThatTheKernelTookForADuplicate) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  Must({"-n", b_->network(), "addr", "add", "2001:db8::100/64", "dev", "eth0"});
  const auto told = [&] {
    const std::vector<std::string> problems = b_->reported().problems();
    return std::any_of(problems.begin(), problems.end(), [](const std::string& problem) {
      return problem.find("2001:db8::100/64 was set here by somebody") != std::string::npos;
    });
  };
  ASSERT_TRUE(WaitUntil(kLimit, told));
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return b_->Holds() == 0; }));
  EXPECT_TRUE(a_->HoldsAll());
}

// Somebody had set it on the master by hand, and it was found elsewhere. keepalived takes it as it
// is.
TEST_F(HeartbeatTest, SaysThatAVipIsNotInUseBecauseAnotherMachineHasIt) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const Vip vip{"2001:db8::77/64", "eth0"};
  Must({"-n", b_->network(), "addr", "add", vip.address, "dev", "eth0", "nodad"});
  Must({"-n", a_->network(), "addr", "add", vip.address, "dev", "eth0"});
  const std::string failed =
      "ip -n " + a_->network() + " -6 -o addr show dev eth0 | grep -q '2001:db8::77/64.*dadfailed'";
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return std::system(failed.c_str()) == 0; }));
  a_->vips.push_back(vip);
  ASSERT_TRUE(a_->Reconfigure().ok());
  const auto last = [&] {
    const std::vector<std::string> problems = a_->reported().problems();
    return problems.empty() ? "" : problems.back();
  };
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return !last().empty(); }));
  EXPECT_THAT(last(), HasSubstr("2001:db8::77/64 is not in use"));
  EXPECT_TRUE(a_->HoldsAll()) << "it goes on serving";
}

// As its unit starts it at boot, before the agent comes.
TEST_F(HeartbeatTest, GoesOnWithTheGateOfTheOneItAdopts) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  b_->StopAgent();
  const Options options = b_->MakeOptions();
  ASSERT_TRUE(Fault(options).Set(core::kBootGate, /*gate=*/true).ok());
  b_->StartAgent("", /*gate_opens=*/false);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().LastIs(VrrpState::kFault); }));
  EXPECT_GT(b_->reported().aside(), absl::ZeroDuration());
  EXPECT_LE(b_->reported().aside(), core::kBootGate + absl::Seconds(1));
  EXPECT_TRUE(Fault(options).IsSet()) << "whoever starts must not lift it";
  // The brain opens it.
  b_->Perform(core::SetFault{""});
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_TRUE(a_->HoldsAll());
}

TEST_F(HeartbeatTest, FindsTheRoleOfTheOneItAdopts) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t pids[] = {a_->Keepalived(), b_->Keepalived()};
  AddressEvents* events[] = {a_->On([] { return new AddressEvents; }),
                             b_->On([] { return new AddressEvents; })};
  for (Node* node : {a_.get(), b_.get()}) node->StopAgent();
  for (Node* node : {a_.get(), b_.get()}) node->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster); }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_EQ(a_->Keepalived(), pids[0]);
  EXPECT_EQ(b_->Keepalived(), pids[1]);
  for (AddressEvents* each : events) {
    EXPECT_EQ(each->Count(), 0);
    delete each;
  }
  for (Node* node : {a_.get(), b_.get()}) {
    EXPECT_EQ(node->reported().states().size(), 1U);
    EXPECT_THAT(node->reported().problems(), Each(""));
  }
}

TEST_F(HeartbeatTest, HearsWhatHappenedWhileNoAgentRan) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  b_->StopAgent();
  a_->Perform(core::SetFault{"maintenance"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  a_->StopAgent();
  a_->StartAgent("maintenance");
  b_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().LastIs(VrrpState::kMaster); }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
}

TEST_F(HeartbeatTest, StandsAsideAfterItsStartUntilToldOtherwise) {
  a_->StartAgent("", /*gate_opens=*/false);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
  a_->Perform(core::SetFault{""});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster); }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
  EXPECT_THAT(a_->reported().states(),
              ElementsAre(VrrpState::kFault, VrrpState::kBackup, VrrpState::kMaster));

  // One that is adopted goes on as it was.
  a_->StopAgent();
  a_->StartAgent("", /*gate_opens=*/false);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster); }));
  EXPECT_TRUE(a_->HoldsAll());
}

TEST_F(HeartbeatTest, NoticesATransitionThatNoLineTold) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  b_->StopAgent();
  // keepalived goes on with a FIFO that nobody can open any more.
  ASSERT_EQ(::unlink(b_->MakeOptions().FifoPath().c_str()), 0);
  b_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().LastIs(VrrpState::kBackup); }));
  a_->Perform(core::SetFault{"switchover"});
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().LastIs(VrrpState::kMaster); }));
}

TEST_F(HeartbeatTest, NeverBecomesMasterInMaintenance) {
  a_->StartAgent("maintenance");
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
  b_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  EXPECT_THAT(a_->reported().states(), Not(Contains(VrrpState::kMaster)));
  EXPECT_EQ(a_->Holds(), 0U);
}

TEST_F(HeartbeatTest, MovesNothingByAStandingAlone) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  b_->Perform(core::SetStanding{core::Standing::kPromotedAlone});
  // A backup that preempts would do so three adverts later.
  EXPECT_FALSE(WaitUntil(absl::Seconds(1), [&] { return b_->Holds() > 0; }));
  EXPECT_TRUE(a_->HoldsAll());
}

TEST_F(HeartbeatTest, LetsTheOneThatWasPromotedLastKeepTheVipsWhenASplitHeals) {
  for (Node* promoted : {b_.get(), a_.get()}) {
    Node* old = promoted == a_.get() ? b_.get() : a_.get();
    if (promoted == b_.get()) {
      ASSERT_NO_FATAL_FAILURE(StartPair());
    }
    old->Perform(core::SetStanding{core::Standing::kMaster});
    promoted->Perform(core::SetStanding{core::Standing::kStandby});
    EXPECT_TRUE(old->HoldsAll()) << "a standing alone must move nothing";
    Cut();
    ASSERT_TRUE(WaitUntil(kLimit, [&] { return promoted->reported().LastIs(VrrpState::kMaster); }));
    promoted->Perform(core::SetStanding{core::Standing::kPromotedAlone});
    EXPECT_TRUE(old->HoldsAll());
    Heal();
    ASSERT_TRUE(WaitUntil(kLimit, [&] { return old->reported().LastIs(VrrpState::kBackup); }));
    EXPECT_TRUE(promoted->HoldsAll());
    EXPECT_EQ(old->Holds(), 0U);
    promoted->Perform(core::SetStanding{core::Standing::kMaster});
    EXPECT_TRUE(promoted->reported().LastIs(VrrpState::kMaster));
  }
}

TEST_F(HeartbeatTest, SaysSoIfKeepalivedIsMissing) {
  a_->On([&] {
    Loop loop;
    Options options = a_->MakeOptions();
    options.keepalived = "/no/such/keepalived";
    Recorder recorder;
    const absl::Status status = Heartbeat(loop, options).Start(recorder);
    EXPECT_THAT(std::string(status.message()), HasSubstr("install the package keepalived"));
  });
}

class HeartbeatInterval : public HeartbeatTest, public testing::WithParamInterface<int> {};

TEST_P(HeartbeatInterval, IsTakenByKeepalived) {
  const absl::Duration interval = absl::Milliseconds(GetParam());
  a_->interval = b_->interval = *core::AdvertInterval::From(interval);
  for (Node* node : {a_.get(), b_.get()}) node->StartAgent();
  for (Node* node : {a_.get(), b_.get()}) {
    ASSERT_TRUE(WaitUntil(kLimit, [&] { return !node->reported().states().empty(); }));
    EXPECT_THAT(node->reported().problems(), Each(""));
    EXPECT_THAT(ReadFile(node->directory() + "/run/keepalived.log").value_or(""),
                Not(HasSubstr("not valid")));
  }
  if (interval > absl::Seconds(1)) return;
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll() != b_->HoldsAll(); }));
}

INSTANTIATE_TEST_SUITE_P(Milliseconds, HeartbeatInterval, testing::Values(10, 40'000, 40'950));

}  // namespace
}  // namespace zcluster::heartbeat
