// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/boot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/core/boot_gate.h"
#include "agent/heartbeat/fault.h"
#include "common/child.h"
#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using testing::StartsWith;

class BootTest : public testing::Test {
 protected:
  BootTest() {
    std::string pattern = testing::TempDir() + "/zt-boot-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    options_.state_dir = directory_ + "/state";
    options_.run_dir = directory_ + "/run";
    std::filesystem::create_directory(options_.state_dir);
  }
  ~BootTest() override { std::filesystem::remove_all(directory_); }

  void Configure() { std::ofstream(options_.ConfigPath()) << "# nothing\n"; }
  std::string Close() {
    const absl::StatusOr<std::string> done = CloseBootGate(options_);
    return done.ok() ? *done : std::string(done.status().message());
  }

  std::string directory_;
  Options options_{.node_name = "",
                   .interface = "",
                   .address = "",
                   .peer_address = "",
                   .advert_interval = *core::AdvertInterval::From(absl::Seconds(1)),
                   .vips = {}};
};

TEST_F(BootTest, OfANodeInNoPairDoesNothing) {
  EXPECT_EQ(Close(), "this node has no configuration for keepalived");
  EXPECT_TRUE(std::filesystem::is_empty(options_.state_dir));
  EXPECT_FALSE(std::filesystem::exists(options_.run_dir));
}

TEST_F(BootTest, StandsAsideUntilTheGateOpens) {
  Configure();
  EXPECT_EQ(Close(), "this node stands aside for 15s");
  const Fault fault(options_);
  EXPECT_TRUE(fault.IsSet());
  EXPECT_GT(fault.GateLeft(), absl::ZeroDuration());
  // Rounded up, for a shell reads whole seconds.
  EXPECT_LE(fault.GateLeft(), core::kBootGate + absl::Seconds(1));
  EXPECT_EQ(::access(options_.LeaseScriptPath().c_str(), X_OK), 0);
}

TEST_F(BootTest, LeavesAMaintenanceAsItIs) {
  Configure();
  Fault fault(options_);
  ASSERT_TRUE(fault.Set(absl::InfiniteDuration()).ok());
  EXPECT_THAT(Close(), StartsWith("this node stands aside until it is told otherwise"));
  EXPECT_TRUE(fault.FoundLasting());
  EXPECT_EQ(fault.GateLeft(), absl::ZeroDuration());
}

TEST_F(BootTest, DoesNothingWhileKeepalivedRuns) {
  Configure();
  // Known by its command line; it stays until it is killed.
  absl::StatusOr<Child> running =
      Child::Start({.argv = {"/bin/sh", "-c", "kill -STOP $$", "-f", options_.ConfigPath()},
                    .own_session = true});
  ASSERT_TRUE(running.ok()) << running.status();
  ASSERT_TRUE(WaitUntil(absl::Seconds(20), [&] { return FindAllProcesses(options_).size() == 1; }));
  EXPECT_THAT(Close(), StartsWith("keepalived runs ("));
  EXPECT_FALSE(std::filesystem::exists(options_.FaultPath()));
  FindAllProcesses(options_).front().Signal(SIGKILL);
}

TEST_F(BootTest, ForgetsThePidsOfTheDead) {
  Configure();
  std::filesystem::create_directory(options_.run_dir);
  std::ofstream(options_.PidPath()) << "1\n";
  Close();
  EXPECT_FALSE(std::filesystem::exists(options_.PidPath()));
}

}  // namespace
}  // namespace zcluster::heartbeat
