// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/bootstrap/bootstrap.h"
#include "tests/agent/bootstrap/node.h"
#include "tests/agent/bootstrap/stranger.h"

namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;

class ProbeTest : public NodeTest {
 protected:
  absl::StatusOr<std::string> Ask(const std::string& address) {
    absl::StatusOr<std::string> found;
    absl::Notification done;
    thread_.Do([&] {
      Probe(thread_.loop(), address, [&](const absl::StatusOr<std::string>& answer) {
        found = answer;
        done.Notify();
      });
    });
    done.WaitForNotification();
    return found;
  }

  LoopThread thread_;
};

TEST_F(ProbeTest, ShowsTheFingerprintOfTheNode) {
  const auto found = Ask(node_->address());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, node_->Fingerprint());
}

TEST_F(ProbeTest, TellsNothingToWhoeverAnswers) {
  Listener listener;
  const auto found = Ask(listener.address());
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, listener.fingerprint());
  EXPECT_EQ(listener.Heard(), "");
}

TEST_F(ProbeTest, SaysWhyNobodyAnswers) {
  const std::string address = node_->address();
  node_.reset();
  const auto found = Ask(address);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(found.status().message(), HasSubstr("connection refused by " + address));
}

TEST_F(ProbeTest, MayOutliveTheLoop) {
  Listener listener;
  {
    LoopThread thread;
    thread.Do([&] { Probe(thread.loop(), listener.address(), [](const auto&) {}); });
  }
  EXPECT_EQ(listener.Heard(), "");
}

}  // namespace
}  // namespace zcluster::bootstrap
