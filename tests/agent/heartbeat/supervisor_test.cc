// SPDX-License-Identifier: Apache-2.0
// What becomes of a real keepalived that changes, dies, or loses its agent; through the adapter's
// door.
#include "agent/heartbeat/supervisor.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using core::VrrpState;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;

using SupervisorTest = HeartbeatTest;

TEST_F(SupervisorTest, AddsAVipWithoutDisturbingTheOthers) {
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

TEST_F(SupervisorTest, KeepsAFaultOverAReload) {
  a_->StartAgent("maintenance");
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kFault); }));
  a_->StopAgent();
  a_->vips.push_back({"192.0.2.101/24", "eth0"});
  std::unique_ptr<AddressEvents> events(a_->On([] { return new AddressEvents; }));
  a_->StartAgent("maintenance");
  ASSERT_TRUE(WaitUntil(kLimit, [&] {
    return ReadFile(a_->directory() + "/run/keepalived.log").value_or("").find("Reload complete") !=
           std::string::npos;
  }));
  // Without it, three adverts later this node alone would be master.
  EXPECT_FALSE(WaitUntil(absl::Seconds(1), [&] { return events->Count() > 0; }));
  EXPECT_TRUE(a_->reported().LastIs(VrrpState::kFault));
}

TEST_F(SupervisorTest, ReadsAConfigurationThatACrashKeptFromKeepalived) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  a_->StopAgent();
  a_->vips.push_back({"192.0.2.101/24", "eth0"});
  // The last agent died after it had put the new one in place, before its SIGHUP.
  ASSERT_TRUE(
      WriteFileAtomically(a_->MakeOptions().ConfigPath(), Render(a_->MakeOptions()), 0600).ok());
  ASSERT_TRUE(
      WriteFileAtomically(a_->MakeOptions().CandidatePath(), Render(a_->MakeOptions()), 0600).ok());
  a_->StartAgent();
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
}

struct Kill {
  const char* name;
  bool parent, vrrp;
};

class KeepalivedKilled : public HeartbeatTest, public testing::WithParamInterface<Kill> {
 protected:
  void KillKeepalived() {
    // Neither may hear of the other's end before its own.
    const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
    if (GetParam().parent) ::kill(parent, SIGSTOP);
    if (GetParam().vrrp) ::kill(vrrp, SIGKILL);
    if (GetParam().parent) ::kill(parent, SIGKILL);
  }
};

TEST_P(KeepalivedKilled, IsReportedAndRunsAgainAsBackup) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t vrrp = a_->Vrrp();
  KillKeepalived();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  EXPECT_EQ(a_->Holds(), 0U) << "VIPs on two nodes";
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_THAT(a_->reported().states(), Contains(VrrpState::kDown));
  ASSERT_THAT(a_->reported().problems(), Contains(HasSubstr("died")));
  if (GetParam().parent) {
    EXPECT_THAT(a_->reported().problems(),
                Contains(HasSubstr("keepalived died (signal 9); it is being restarted")));
  }
  EXPECT_EQ(a_->reported().problems().back(), "");
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->Vrrp() > 0 && a_->Vrrp() != vrrp; }));
  EXPECT_EQ(a_->Holds(), 0U);
  EXPECT_TRUE(b_->HoldsAll());

  // It works as before, again and again.
  b_->Perform(core::SetFault{"switchover"});
  ASSERT_TRUE(WaitUntil(
      kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster) && a_->HoldsAll(); }));
  b_->Perform(core::SetFault{""});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->reported().LastIs(VrrpState::kBackup); }));
  KillKeepalived();
  // keepalived waits a second before the next VRRP process: nobody but us takes the VIPs off.
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  EXPECT_EQ(a_->Holds(), 0U) << "VIPs on two nodes";
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_EQ(a_->Holds(), 0U);
}

TEST_P(KeepalivedKilled, LeavesNoStaleVipThoughNoAgentRan) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  a_->StopAgent();
  KillKeepalived();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_EQ(a_->Holds(), 0U);
  EXPECT_TRUE(b_->HoldsAll());
}

INSTANTIATE_TEST_SUITE_P(Supervisor, KeepalivedKilled,
                         testing::Values(Kill{"Vrrp", false, true}, Kill{"Parent", true, false},
                                         Kill{"Both", true, true}),
                         [](const auto& kill) { return std::string(kill.param.name); });

TEST_F(SupervisorTest, IsStartedAgainAfterSomebodyStoppedIt) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  ::kill(a_->Keepalived(), SIGTERM);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kBackup); }));
  EXPECT_THAT(a_->reported().problems(), Contains(HasSubstr("keepalived died (exit code 0)")));
}

TEST_F(SupervisorTest, GoesOnAfterSomebodyStoppedItWithSigstop) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  for (Node* node : {b_.get(), a_.get()}) {
    const pid_t vrrp = node->Vrrp();
    ASSERT_EQ(::kill(vrrp, SIGSTOP), 0);
    EXPECT_TRUE(WaitUntil(kLimit, [&] {
      const std::vector<std::string> told = node->reported().problems();
      return told.size() >= 2 && told.back().empty() &&
             told[told.size() - 2].find("stopped") != std::string::npos;
    }));
    EXPECT_EQ(node->Vrrp(), vrrp);
  }
  EXPECT_TRUE(WaitUntil(kLimit, [&] { return a_->Holds() + b_->Holds() == a_->vips.size() + 1; }));
}

TEST_F(SupervisorTest, SurvivesItsAgentsSigkill) {
  // A process of its own, in the place of the agent.
  const pid_t agent = ::fork();
  if (agent == 0) {
    a_->EnterNamespace();
    Loop loop;
    Recorder recorder;
    Heartbeat heartbeat(loop, a_->MakeOptions());
    recorder.OnStarting([&] { loop.Post([&] { heartbeat.Perform(core::SetFault{""}); }); });
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

TEST_F(SupervisorTest, NamesWhatKeepalivedRefusesAndTriesAgain) {
  a_->interface = "eth7";
  a_->vips.clear();
  a_->StartAgent();
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return !a_->reported().problems().empty(); }));
  EXPECT_THAT(a_->reported().problems(),
              Contains(HasSubstr("interface eth7 for vrrp_instance zcluster doesn't exist")));
  EXPECT_EQ(a_->Keepalived(), 0);
  Must({"-n", a_->network(), "link", "set", "eth0", "down"});
  Must({"-n", a_->network(), "link", "set", "eth0", "name", "eth7"});
  Must({"-n", a_->network(), "link", "set", "eth7", "up"});
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->reported().LastIs(VrrpState::kMaster); }));
  EXPECT_EQ(a_->reported().problems().back(), "");
}

}  // namespace
}  // namespace zcluster::heartbeat
