// SPDX-License-Identifier: Apache-2.0
// What needs no keepalived; starting, adopting and losing a real one are in heartbeat_test.cc, with
// supervisor.cc.
#include "agent/heartbeat/process.h"

#include <gtest/gtest.h>

#include "tests/agent/heartbeat/wire.h"

namespace zcluster::heartbeat {
namespace {

class ProcessTest : public testing::Test {
 protected:
  ProcessTest() {
    std::string pattern = testing::TempDir() + "/zt-process-XXXXXX";
    options_.state_dir = options_.run_dir = ::mkdtemp(pattern.data());
  }
  ~ProcessTest() override { std::filesystem::remove_all(options_.run_dir); }

  // A process with these arguments behind its pid file, until its end.
  Child Start(const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {"/bin/sh", "-c", "read line", "sh"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    EXPECT_EQ(::pipe2(pipe_, O_CLOEXEC), 0);
    absl::StatusOr<Child> child = Child::Start({.argv = argv, .input = pipe_[0]});
    EXPECT_TRUE(child.ok()) << child.status();
    EXPECT_TRUE(
        WriteFileAtomically(options_.PidPath(), absl::StrCat(child->pid(), "\n"), 0600).ok());
    return *std::move(child);
  }
  void End(Child& child) {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
    ASSERT_TRUE(WaitUntil(absl::Seconds(20), [&] { return child.Exit().has_value(); }));
  }

  int pipe_[2] = {-1, -1};
  Options options_{.node_name = "a",
                   .interface = "eth0",
                   .address = "192.0.2.1",
                   .peer_address = "192.0.2.2",
                   .advert_interval = *core::AdvertInterval::From(absl::Seconds(1)),
                   .vips = {}};
};

TEST_F(ProcessTest, IsFoundByItsConfiguration) {
  Child child = Start({"-n", "-f", options_.ConfigPath()});
  absl::optional<FoundProcess> found;
  // Just after exec a process has no command line yet. A real pid file is written later.
  ASSERT_TRUE(WaitUntil(absl::Seconds(20), [&] {
    found = FindProcess(options_.PidPath(), options_);
    return found.has_value();
  }));
  EXPECT_EQ(found->pid, child.pid());
  RemoveStalePidFiles(options_);
  EXPECT_TRUE(FindProcess(options_.PidPath(), options_).has_value());
  End(child);
  EXPECT_FALSE(FindProcess(options_.PidPath(), options_).has_value());
  RemoveStalePidFiles(options_);
  EXPECT_NE(::access(options_.PidPath().c_str(), F_OK), 0);
}

TEST_F(ProcessTest, IsNotWhoeverGotThePidLater) {
  Child child = Start({"-f", "/etc/keepalived/keepalived.conf"});
  EXPECT_FALSE(FindProcess(options_.PidPath(), options_).has_value());
  RemoveStalePidFiles(options_);
  EXPECT_NE(::access(options_.PidPath().c_str(), F_OK), 0);
  End(child);
}

TEST_F(ProcessTest, IsNotFoundByGarbage) {
  for (const char* content : {"", "x", "-1", "0", "1", "99999999999999999999"}) {
    ASSERT_TRUE(WriteFileAtomically(options_.PidPath(), content, 0600).ok());
    EXPECT_FALSE(FindProcess(options_.PidPath(), options_).has_value()) << content;
  }
}

TEST_F(ProcessTest, TellsWhetherItGoesBackToWaiting) {
  // Waits for each line.
  int lines[2];
  ASSERT_EQ(::pipe2(lines, O_CLOEXEC), 0);
  absl::StatusOr<Child> child =
      Child::Start({.argv = {"/bin/sh", "-c", "while read line; do :; done"}, .input = lines[0]});
  ASSERT_TRUE(child.ok()) << child.status();
  FoundProcess process{.pid = child->pid(), .pidfd = child->TakePidfd()};
  const auto sleeps = [&] {
    const absl::optional<Activity> seen = process.Look();
    return seen && seen->state == 'S' && process.WaitsIn() != "";
  };
  ASSERT_TRUE(WaitUntil(absl::Seconds(20), sleeps));
  const uint64_t before = process.Look()->waits;
  EXPECT_EQ(process.Look()->waits, before);
  ASSERT_EQ(::write(lines[1], "\n", 1), 1);
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return process.Look()->waits > before; }));
  EXPECT_FALSE(process.Look()->IsStopped());
  process.Signal(SIGSTOP);
  EXPECT_TRUE(WaitUntil(absl::Seconds(20), [&] { return process.Look()->IsStopped(); }));
  process.Signal(SIGKILL);
  ASSERT_TRUE(WaitUntil(absl::Seconds(20), [&] { return process.HasEnded(); }));
  ReapChild(process.pidfd.get());
  EXPECT_FALSE(process.Look().has_value());
  ::close(lines[0]);
  ::close(lines[1]);
}

TEST_F(ProcessTest, HasABoundedLog) {
  ASSERT_TRUE(WriteFileAtomically(options_.LogPath(), std::string(4 << 20, 'x'), 0600).ok());
  BoundLog(options_);
  EXPECT_EQ(std::filesystem::file_size(options_.LogPath()), 4U << 20);
  ASSERT_TRUE(WriteFileAtomically(options_.LogPath(), std::string((4 << 20) + 1, 'x'), 0600).ok());
  BoundLog(options_);
  EXPECT_EQ(std::filesystem::file_size(options_.LogPath()), 0U);
}

}  // namespace
}  // namespace zcluster::heartbeat
