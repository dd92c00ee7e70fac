// SPDX-License-Identifier: Apache-2.0
// A node leaves its pair: no trace of keepalived stays.
#include <gmock/gmock.h>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using core::VrrpState;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class GiveBackTest : public HeartbeatTest {
 protected:
  static std::vector<std::string> FilesIn(const std::string& directory) {
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(directory, missing))
      names.push_back(entry.path().filename());
    return names;
  }
  // One that has ended has no command line, though nobody may have reaped it yet.
  static bool Runs(pid_t pid) {
    return !ReadFile(absl::StrCat("/proc/", pid, "/cmdline")).value_or("").empty();
  }
  void ExpectNoTraceOf(Node& node, pid_t parent, pid_t vrrp) {
    EXPECT_EQ(node.Holds(), 0U);
    EXPECT_FALSE(Runs(parent));
    EXPECT_FALSE(Runs(vrrp));
    EXPECT_FALSE(std::filesystem::exists(node.MakeOptions().state_dir));
    EXPECT_THAT(FilesIn(node.MakeOptions().run_dir), IsEmpty());
  }
};

TEST_F(GiveBackTest, LeavesNoTraceAndThePeerServes) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  a_->GiveBack();
  ExpectNoTraceOf(*a_, parent, vrrp);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
}

TEST_F(GiveBackTest, ReportsAndDoesNothingAnyMore) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const size_t told = a_->reported().states().size();
  a_->GiveBack();
  a_->Perform(core::SetFault{""});
  a_->Perform(core::StartHeartbeat{});
  EXPECT_EQ(a_->Reconfigure().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(a_->reported().states().size(), told);
  EXPECT_FALSE(std::filesystem::exists(a_->MakeOptions().state_dir));
}

TEST_F(GiveBackTest, RemovesWhatADeadKeepalivedAndAgentLeft) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  a_->StopAgent();
  ::kill(parent, SIGSTOP);
  ::kill(vrrp, SIGKILL);
  ::kill(parent, SIGKILL);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return a_->HoldsAll(); }));
  ASSERT_TRUE(WriteFileAtomically(a_->MakeOptions().FaultPath() + ".1.2.tmp", "0", 0600).ok());
  // An agent that never started its heartbeat, as one that only gives back what it finds.
  a_->MakeAgent();
  a_->GiveBack();
  EXPECT_EQ(a_->Holds(), 0U);
  EXPECT_FALSE(std::filesystem::exists(a_->MakeOptions().state_dir));
  EXPECT_THAT(FilesIn(a_->MakeOptions().run_dir), IsEmpty());
}

TEST_F(GiveBackTest, EndsAKeepalivedThatAFormerAgentStarted) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  a_->StopAgent();
  a_->MakeAgent();
  a_->GiveBack();
  ExpectNoTraceOf(*a_, parent, vrrp);
}

TEST_F(GiveBackTest, KillsAKeepalivedThatHangs) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const pid_t parent = a_->Keepalived(), vrrp = a_->Vrrp();
  ::kill(parent, SIGSTOP);
  ::kill(vrrp, SIGSTOP);
  a_->GiveBack();
  ExpectNoTraceOf(*a_, parent, vrrp);
  ASSERT_TRUE(WaitUntil(kLimit, [&] { return b_->HoldsAll(); }));
}

TEST_F(GiveBackTest, LeavesFilesThatAreNotOurs) {
  ASSERT_NO_FATAL_FAILURE(StartPair());
  const Options options = a_->MakeOptions();
  ASSERT_TRUE(WriteFileAtomically(options.state_dir + "/notes", "mine", 0600).ok());
  ASSERT_TRUE(WriteFileAtomically(options.run_dir + "/agent.pid", "1", 0600).ok());
  a_->GiveBack();
  EXPECT_THAT(FilesIn(options.state_dir), UnorderedElementsAre("notes"));
  EXPECT_THAT(FilesIn(options.run_dir), UnorderedElementsAre("agent.pid"));
}

TEST_F(GiveBackTest, GivesBackWhatWasNeverStarted) {
  a_->MakeAgent();
  a_->GiveBack();
  EXPECT_EQ(a_->Holds(), 0U);
}

TEST_F(GiveBackTest, EndsAKeepalivedThatHasJustBeenStarted) {
  a_->StartAgent();
  a_->GiveBack();
  EXPECT_EQ(a_->Holds(), 0U);
  EXPECT_EQ(a_->Keepalived(), 0);
  EXPECT_FALSE(std::filesystem::exists(a_->MakeOptions().state_dir));
  // None comes later.
  EXPECT_FALSE(WaitUntil(absl::Seconds(1), [&] { return a_->Holds() > 0 || a_->Vrrp() > 0; }));
}

}  // namespace
}  // namespace zcluster::heartbeat
