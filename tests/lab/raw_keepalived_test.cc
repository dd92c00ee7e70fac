// SPDX-License-Identifier: Apache-2.0
// The lab itself, with keepalived alone: what the pair is measured against, and proof that a lab
// without replication loses connections, so that a test in which they live on proves something.
#include <gtest/gtest.h>

#include <optional>

#include "tests/lab/support/lab.h"

namespace zcluster::lab {
namespace {

class RawKeepalived : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    lab_.emplace("raw");
    ASSERT_TRUE(lab_->Up({"--raw"})) << lab_->Explain();
  }
  static void TearDownTestSuite() { lab_.reset(); }

  static std::optional<Lab> lab_;
};

std::optional<Lab> RawKeepalived::lab_;

TEST_F(RawKeepalived, FailsOverOnAPowerCutAndLosesTheConnections) {
  const std::string master = lab_->Master(), backup = Lab::Peer(master);
  Traffic connections(*lab_, {"hold", "--to", "10.10.0.100:80", "--connections", "50"});
  Traffic probe(*lab_, {"probe", "--to", "10.10.0.100:7007"});
  ASSERT_TRUE(WaitUntil(absl::Seconds(10), [&] {
    return connections.Report()["open"].as<int>() == 50 && probe.Report()["answered"].as<int>() > 0;
  }));
  probe.Mark();
  lab_->MustRun({"kill", master});
  ASSERT_TRUE(WaitUntil(absl::Seconds(20), [&] { return lab_->HoldsAll(backup); }))
      << lab_->Explain();
  ASSERT_TRUE(WaitUntil(absl::Seconds(20), [&] {
    return probe.Report()["silent_ms"].as<double>() < 50;
  })) << lab_->Explain();
  EXPECT_GT(probe.Stop()["outage_ms"].as<double>(), 200);  // three adverts of 100 ms, or nearly

  // Packets flow again; yet what was sent since then never comes back.
  connections.Mark();
  Traffic requests(*lab_, {"requests", "--to", "10.10.0.100:80", "--rate", "50"});
  ASSERT_TRUE(WaitUntil(absl::Seconds(20), [&] { return requests.Report()["ok"].as<int>() > 100; }))
      << lab_->Explain();
  YAML::Node held = connections.Stop();
  EXPECT_EQ(held["opened"].as<int>(), 50);
  EXPECT_EQ(held["moved_since_mark"].as<int>(), 0);
  EXPECT_EQ(held["corrupt"].as<int>(), 0);
  EXPECT_EQ(requests.Stop()["failed"].as<int>(), 0);

  // The old master boots, and changes nothing.
  lab_->MustRun({"revive", master});
  ASSERT_TRUE(WaitUntil(absl::Seconds(10), [&] {
    return lab_->Read(master, {"cat", "/var/log/zcluster/keepalived.log"})
               .find("Startup complete") != std::string::npos;
  }));
  EXPECT_TRUE(lab_->HoldsAll(backup)) << lab_->Explain();
}

}  // namespace
}  // namespace zcluster::lab
