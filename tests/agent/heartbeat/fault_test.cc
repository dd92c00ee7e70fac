// SPDX-License-Identifier: Apache-2.0
// The lease of a fault, and the script that ends it, as a shell runs it.
#include "agent/heartbeat/fault.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "common/child.h"
#include "common/file.h"

namespace zcluster::heartbeat {
namespace {

// Long after this test, and before the machine has been up for a century.
constexpr char kFar[] = "3000000000";

class FaultTest : public testing::Test {
 protected:
  FaultTest() {
    std::string pattern = testing::TempDir() + "/zt-fault-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    // As nobody names it, but a shell must read it.
    options_.state_dir = directory_ + "/it's here";
    std::filesystem::create_directory(options_.state_dir);
    fault_ = std::make_unique<Fault>(options_);
    EXPECT_TRUE(fault_->Prepare().ok());
  }
  ~FaultTest() override { std::filesystem::remove_all(directory_); }

  // What keepalived does each second; an exit code that is not 0 would be a fault of its own.
  void RunScript() {
    const absl::Status ran = RunProgram({options_.LeaseScriptPath()}, "", absl::Seconds(20));
    EXPECT_TRUE(ran.ok()) << ran;
  }
  static void Write(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
  }
  static std::string ThisBoot() {
    std::string boot;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
    return boot;
  }

  std::string directory_;
  Options options_{.node_name = "node1",
                   .interface = "front",
                   .address = "192.0.2.1",
                   .peer_address = "192.0.2.2",
                   .advert_interval = *core::AdvertInterval::From(absl::Seconds(1)),
                   .vips = {}};
  std::unique_ptr<Fault> fault_;
};

TEST_F(FaultTest, StandsForItsLease) {
  ASSERT_TRUE(fault_->Set(absl::Hours(1)).ok());
  RunScript();
  EXPECT_TRUE(fault_->IsSet());
  EXPECT_FALSE(fault_->lasts());
  ASSERT_TRUE(fault_->Lift().ok());
  EXPECT_FALSE(fault_->IsSet());
}

TEST_F(FaultTest, TellsAGateFromOtherLeases) {
  EXPECT_EQ(fault_->GateLeft(), absl::ZeroDuration());
  ASSERT_TRUE(fault_->Set(absl::Hours(1)).ok());
  EXPECT_EQ(fault_->GateLeft(), absl::ZeroDuration());
  ASSERT_TRUE(fault_->Set(absl::Hours(1), /*gate=*/true).ok());
  EXPECT_GT(fault_->GateLeft(), absl::Minutes(59));
  // Of a boot before.
  Write(options_.LeasePath(), std::string("another-boot ") + kFar + " gate\n");
  EXPECT_EQ(fault_->GateLeft(), absl::ZeroDuration());
  ASSERT_TRUE(fault_->Set(absl::Hours(1), /*gate=*/true).ok());
  ASSERT_TRUE(fault_->Lift().ok());
  EXPECT_EQ(fault_->GateLeft(), absl::ZeroDuration());
}

TEST_F(FaultTest, WithoutEndStandsForGood) {
  ASSERT_TRUE(fault_->Set(absl::InfiniteDuration()).ok());
  RunScript();
  EXPECT_TRUE(fault_->IsSet());
  EXPECT_TRUE(fault_->lasts());
}

struct Case {
  const char* name;
  std::string lease;  // BOOT stands for this boot
  bool stands;
};

class Script : public FaultTest, public testing::WithParamInterface<Case> {};

TEST_P(Script, EndsWhatNoLeaseHolds) {
  std::string lease = GetParam().lease;
  if (const size_t at = lease.find("BOOT"); at != std::string::npos)
    lease.replace(at, 4, ThisBoot());
  Write(options_.LeasePath(), lease);
  Write(options_.FaultPath(), "1\n");
  RunScript();
  EXPECT_EQ(fault_->IsSet(), GetParam().stands);
}

INSTANTIATE_TEST_SUITE_P(
    Fault, Script,
    testing::Values(Case{"Over", "BOOT 1\n", false},
                    Case{"NotOver", std::string("BOOT ") + kFar + "\n", true},
                    Case{"OfAnotherBoot", std::string("another-boot ") + kFar + "\n", false},
                    Case{"Lasting", "lasting\n", true},
                    Case{"OfAGate", std::string("BOOT ") + kFar + " gate\n", true},
                    Case{"OfAGateThatIsOver", "BOOT 1 gate\n", false}, Case{"Empty", "", false},
                    Case{"Nonsense", "BOOT soon\n", false}, Case{"WithoutItsEnd", "BOOT\n", false}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(FaultTest, WithoutALeaseFileIsOver) {
  Write(options_.FaultPath(), "1\n");
  RunScript();
  EXPECT_FALSE(fault_->IsSet());
}

TEST_F(FaultTest, ThatIsNotSetIsLeftAlone) {
  std::filesystem::remove(options_.FaultPath());
  RunScript();
  EXPECT_FALSE(std::filesystem::exists(options_.FaultPath()));
}

TEST_F(FaultTest, IsMendedWhileItsLeaseHolds) {
  ASSERT_TRUE(fault_->Set(absl::Hours(1)).ok());
  std::filesystem::remove(options_.FaultPath());
  ASSERT_TRUE(fault_->Mend().ok());
  EXPECT_TRUE(fault_->IsSet());
  // And one that somebody else made is not ours.
  ASSERT_TRUE(fault_->Lift().ok());
  Write(options_.FaultPath(), "1\n");
  ASSERT_TRUE(fault_->Mend().ok());
  EXPECT_FALSE(fault_->IsSet());
}

TEST_F(FaultTest, IsNotMendedOnceItsLeaseIsOver) {
  ASSERT_TRUE(fault_->Set(absl::ZeroDuration()).ok());
  Write(options_.FaultPath(), "0\n");  // as the script does
  ASSERT_TRUE(fault_->Mend().ok());
  EXPECT_FALSE(fault_->IsSet());
}

TEST_F(FaultTest, IsLeftAsItWasFoundUntilOneIsSetOrLifted) {
  Write(options_.FaultPath(), "1\n");
  ASSERT_TRUE(fault_->Mend().ok());
  EXPECT_TRUE(fault_->IsSet());
}

}  // namespace
}  // namespace zcluster::heartbeat
