// SPDX-License-Identifier: Apache-2.0
// The adapter with the real keepalived, two nodes on one wire.
#include "agent/heartbeat/heartbeat.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

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
  RecordProperty("fault_to_vips_us", std::to_string(absl::ToInt64Microseconds(absl::Now() - asked)));
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
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&vip), sizeof vip), 0) << std::strerror(errno);
}

TEST_F(HeartbeatTest, FindsTheRoleOfTheOneItAdopts) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t pids[] = {a_->Keepalived(), b_->Keepalived()};
  AddressEvents* events[] = {a_->On([] { return new AddressEvents; }), b_->On([] { return new AddressEvents; })};
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

TEST_F(HeartbeatTest, NeverBecomesMasterInMaintenance) {
  a_->StartAgent("maintenance");
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
  b_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  EXPECT_THAT(a_->reported().states(), Not(Contains(VrrpState::kMaster)));
  EXPECT_EQ(a_->Holds(), 0U);
}

TEST_F(HeartbeatTest, AddsAVipWithoutDisturbingTheOthers) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t vrrp = a_->Vrrp();
  std::unique_ptr<AddressEvents> events(a_->On([] { return new AddressEvents; }));
  a_->StopAgent();
  a_->vips.push_back({"192.0.2.101/24", "eth0"});
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
  EXPECT_EQ(a_->Vrrp(), vrrp);
  EXPECT_EQ(events->Count(), 1);
  EXPECT_THAT(a_->reported().states(), Each(VrrpState::kMaster));
  EXPECT_EQ(b_->Holds(), 0U);

  // The FIFO lives on after the reload.
  a_->Perform(core::SetFault{"switchover"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
}

TEST_F(HeartbeatTest, KeepsAFaultOverAReload) {
  a_->StartAgent("maintenance");
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
  a_->StopAgent();
  a_->vips.push_back({"192.0.2.101/24", "eth0"});
  std::unique_ptr<AddressEvents> events(a_->On([] { return new AddressEvents; }));
  a_->StartAgent("maintenance");
  ASSERT_TRUE(WaitUntil(kLimit, [&] {
    return ReadFile(a_->directory() + "/run/keepalived.log").value_or("").find("Reload complete") != std::string::npos;
  }));
  // Without it, three adverts later this node alone would be master.
  EXPECT_FALSE(WaitUntil(absl::Seconds(1), [&] { return events->Count() > 0; }));
  EXPECT_TRUE(a_->reported().LastIs(VrrpState::kFault));
}

TEST_F(HeartbeatTest, ReadsAConfigurationThatACrashKeptFromKeepalived) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  a_->StopAgent();
  a_->vips.push_back({"192.0.2.101/24", "eth0"});
  // The last agent died after it had put the new one in place, before its SIGHUP.
  ASSERT_TRUE(WriteFileAtomically(a_->MakeOptions().ConfigPath(), Render(a_->MakeOptions()), 0600).ok());
  ASSERT_TRUE(WriteFileAtomically(a_->MakeOptions().CandidatePath(), Render(a_->MakeOptions()), 0600).ok());
  a_->StartAgent();
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
}

struct Kill {
  const char* name;
  bool parent, vrrp;
};

class HeartbeatKilled : public HeartbeatTest, public testing::WithParamInterface<Kill> {
 protected:
  void KillKeepalived() {
    // Neither may hear of the other's end before its own.
    const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
    if (GetParam().parent) ::kill(parent, SIGSTOP);
    if (GetParam().vrrp) ::kill(vrrp, SIGKILL);
    if (GetParam().parent) ::kill(parent, SIGKILL);
  }
};

TEST_P(HeartbeatKilled, IsReportedAndRunsAgainAsBackup) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t vrrp = a_->Vrrp();
  KillKeepalived();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  EXPECT_EQ(a_->Holds(), 0U) << "VIPs on two nodes";
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_THAT(a_->reported().states(), Contains(VrrpState::kDown));
  ASSERT_THAT(a_->reported().problems(), Contains(HasSubstr("died")));
  if (GetParam().parent) {
    EXPECT_THAT(a_->reported().problems(), Contains(HasSubstr("keepalived died (signal 9); it is being restarted")));
  }
  EXPECT_EQ(a_->reported().problems().back(), "");
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->Vrrp() > 0 && a_->Vrrp() != vrrp; }));
  EXPECT_EQ(a_->Holds(), 0U);
  EXPECT_TRUE(b_->HoldsAll());

  // It works as before, again and again.
  b_->Perform(core::SetFault{"switchover"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster) && a_->HoldsAll(); }));
  b_->Perform(core::SetFault{""});
  KillKeepalived();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll() && a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_EQ(a_->Holds(), 0U);
}

TEST_P(HeartbeatKilled, LeavesNoStaleVipThoughNoAgentRan) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  a_->StopAgent();
  KillKeepalived();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_EQ(a_->Holds(), 0U);
  EXPECT_TRUE(b_->HoldsAll());
}

INSTANTIATE_TEST_SUITE_P(Keepalived, HeartbeatKilled,
                         testing::Values(Kill{"Vrrp", false, true}, Kill{"Parent", true, false},
                                         Kill{"Both", true, true}),
                         [](const auto& kill) { return std::string(kill.param.name); });

TEST_F(HeartbeatTest, IsStartedAgainAfterSomebodyStoppedIt) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  ::kill(a_->Keepalived(), SIGTERM);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_THAT(a_->reported().problems(), Contains(HasSubstr("keepalived died (exit code 0)")));
}

TEST_F(HeartbeatTest, SurvivesItsAgentsSigkill) {
  // A process of its own, in the place of the agent.
  const pid_t agent = ::fork();
  if (agent == 0) {
    a_->EnterNamespace();
    Loop loop;
    Recorder recorder;
    Heartbeat heartbeat(loop, a_->MakeOptions());
    if (!heartbeat.Start(recorder).ok()) ::_exit(1);
    heartbeat.Perform(core::SetFault{""});
    heartbeat.Perform(core::SetStanding{core::Standing::kStandby});
    heartbeat.Perform(core::StartHeartbeat{});
    loop.Run();
    ::_exit(0);
  }
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
  const pid_t keepalived = a_->Keepalived();
  std::unique_ptr<AddressEvents> events(a_->On([] { return new AddressEvents; }));
  ::kill(agent, SIGKILL);
  ASSERT_EQ(::waitpid(agent, nullptr, 0), agent);
  EXPECT_EQ(::kill(keepalived, 0), 0);
  EXPECT_EQ(::getsid(keepalived), keepalived);

  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster); }));
  EXPECT_EQ(a_->Keepalived(), keepalived);
  EXPECT_EQ(events->Count(), 0);

  // Not a child of ours: its end is heard all the same.
  ::kill(keepalived, SIGKILL);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->Keepalived() != keepalived && a_->HoldsAll(); }));
  EXPECT_THAT(a_->reported().states(), Contains(VrrpState::kDown));
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

TEST_F(HeartbeatTest, NamesWhatKeepalivedRefusesAndTriesAgain) {
  a_->interface = "eth7";
  a_->vips.clear();
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return !a_->reported().problems().empty(); }));
  EXPECT_THAT(a_->reported().problems(), Contains(HasSubstr("interface eth7 for vrrp_instance zcluster doesn't exist")));
  EXPECT_EQ(a_->Keepalived(), 0);
  Must({"-n", a_->network(), "link", "set", "eth0", "down"});
  Must({"-n", a_->network(), "link", "set", "eth0", "name", "eth7"});
  Must({"-n", a_->network(), "link", "set", "eth7", "up"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster); }));
  EXPECT_EQ(a_->reported().problems().back(), "");
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
    EXPECT_THAT(ReadFile(node->directory() + "/run/keepalived.log").value_or(""), Not(HasSubstr("not valid")));
  }
  if (interval > absl::Seconds(1)) return;
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll() != b_->HoldsAll(); }));
}

INSTANTIATE_TEST_SUITE_P(Milliseconds, HeartbeatInterval, testing::Values(10, 40'000, 40'950));

}  // namespace
}  // namespace zcluster::heartbeat
