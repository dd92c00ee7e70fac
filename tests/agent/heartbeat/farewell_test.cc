// SPDX-License-Identifier: Apache-2.0
// With programs of our own; the real keepalived is in give_back_test.cc.
#include "agent/heartbeat/farewell.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/agent/heartbeat/wire.h"

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot this for C++
}

namespace zcluster::heartbeat {
namespace {

class FarewellTest : public testing::Test {
 protected:
  // A program that tells by the file `ready` that it runs.
  FoundProcess Start(const std::string& script) {
    const std::string ready = testing::TempDir() + absl::StrCat("/zt-farewell-", ::getpid());
    std::filesystem::remove(ready);
    const absl::StatusOr<Child> child =
        Child::Start({.argv = {"/bin/sh", "-c",
                               absl::StrCat(script, "; echo >", ready,
                                            "; while :; do sleep 600 & wait $!; done")},
                      .own_session = true});
    EXPECT_TRUE(child.ok());
    EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return std::filesystem::exists(ready); }));
    std::filesystem::remove(ready);
    groups_.push_back(child->pid());
    return {.pid = child->pid(), .pidfd = UniqueFd(::pidfd_open(child->pid(), 0))};
  }
  ~FarewellTest() override {
    for (pid_t group : groups_) ::kill(-group, SIGKILL);
  }

  // How long it took.
  absl::Duration End(std::vector<FoundProcess> known) {
    const absl::Time begin = absl::Now();
    Farewell farewell(loop_, options_);
    farewell.Begin(std::move(known), [this] { loop_.Quit(); });
    loop_.Run();
    return absl::Now() - begin;
  }

  Loop loop_;
  std::vector<pid_t> groups_;  // each a session of its own
  Options options_{.node_name = "a",
                   .interface = "eth0",
                   .address = "192.0.2.1",
                   .peer_address = "192.0.2.2",
                   .advert_interval = *core::AdvertInterval::From(absl::Seconds(1)),
                   .vips = {},
                   .run_dir = "/nowhere"};
};

TEST_F(FarewellTest, EndsWithTheProcess) {
  std::vector<FoundProcess> known;
  known.push_back(Start("true"));
  const pid_t pid = known[0].pid;
  End(std::move(known));
  EXPECT_NE(::kill(pid, 0), 0) << "it runs, or was not reaped";
}

TEST_F(FarewellTest, KillsOneThatDoesNotListen) {
  std::vector<FoundProcess> known;
  known.push_back(Start("trap '' TERM"));
  const pid_t pid = known[0].pid;
  EXPECT_GE(End(std::move(known)), absl::Seconds(4));
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST_F(FarewellTest, EndsTheOtherWhenTheFirstHasNotToldIt) {
  std::vector<FoundProcess> known;
  known.push_back(Start("true"));
  known.push_back(Start("true"));
  const pid_t second = known[1].pid;
  EXPECT_LT(End(std::move(known)), absl::Seconds(4));
  EXPECT_NE(::kill(second, 0), 0);
}

TEST_F(FarewellTest, EndsSoonWithNobody) { EXPECT_LT(End({}), absl::Seconds(4)); }

}  // namespace
}  // namespace zcluster::heartbeat
