// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/config_check.h"

#include <gmock/gmock.h>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ConfigCheckTest : public HeartbeatTest {
 protected:
  absl::Status Ask(const std::string& text) {
    const std::string path = directory_ + "/asked.conf";
    return a_->Ask([&](auto done) { check_.Begin(a_->MakeOptions(), path, text, done); });
  }
  ~ConfigCheckTest() override {
    a_->On([this] { check_.Cancel(); });
  }
  ConfigCheck check_{a_->loop()};
};

TEST_F(ConfigCheckTest, AcceptsWhatIsRendered) {
  const absl::Status status = Ask(Render(a_->MakeOptions()));
  EXPECT_TRUE(status.ok()) << status;
}

// The name servers are out of reach, and nothing says so: keepalived would ask them for this
// machine's name until they are given up, longer than a check may take, and at each start too.
TEST_F(ConfigCheckTest, AsksNoNameServer) {
  Must({"-n", a_->network(), "route", "add", "default", "via", "192.0.2.9"});
  a_->On([] {
    ASSERT_EQ(::unshare(CLONE_NEWUTS), 0);
    ASSERT_EQ(::sethostname("zt-nameless", 11), 0);
  });
  const absl::Status status = Ask(Render(a_->MakeOptions()));
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(ConfigCheckTest, TellsKeepalivedsWords) {
  const absl::Status status = Ask("vrrp_instance a {\n  priorty 7\n}\n");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr("keepalived refuses its configuration (exit code "), HasSubstr("priorty")));
}

TEST_F(ConfigCheckTest, NamesTheProgramThatCannotBeRun) {
  Options options = a_->MakeOptions();
  options.keepalived = "/nowhere/keepalived";
  const std::string path = directory_ + "/asked.conf";
  const absl::Status status =
      a_->Ask([&](auto done) { check_.Begin(options, path, Render(options), done); });
  EXPECT_THAT(std::string(status.message()), HasSubstr("/nowhere/keepalived"));
}

TEST_F(ConfigCheckTest, GivesUpOnOneThatDoesNotAnswer) {
  const std::string hangs = directory_ + "/hangs";
  ASSERT_TRUE(WriteFileAtomically(hangs, "#!/bin/sh\nexec sleep 600\n", 0700).ok());
  Options options = a_->MakeOptions();
  options.keepalived = hangs;
  const absl::Status status =
      a_->Ask([&](auto done) { check_.Begin(options, directory_ + "/asked.conf", "", done); });
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
}

TEST_F(ConfigCheckTest, SaysNothingOnceItIsCancelled) {
  bool told = false;
  a_->On([&] {
    check_.Begin(a_->MakeOptions(), directory_ + "/asked.conf", Render(a_->MakeOptions()),
                 [&](const absl::Status&) { told = true; });
    check_.Cancel();
    EXPECT_FALSE(check_.under_way());
  });
  EXPECT_TRUE(Ask(Render(a_->MakeOptions())).ok());
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace zcluster::heartbeat
