// SPDX-License-Identifier: Apache-2.0
#include "agent/health/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file.h"
#include "tests/agent/health/seen.h"
#include "tests/support/loop_thread.h"

namespace zcluster::health {
namespace {

using testing::HasSubstr;

class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    std::string pattern = testing::TempDir() + "zc-check-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    thread_.Do([this] {
      check_ = std::make_unique<Check>(thread_.loop(), "node1",
                                       [this] { seen_.Tell({*check_->Result()}); });
    });
  }
  ~CheckTest() override {
    thread_.Do([this] { check_.reset(); });
    std::filesystem::remove_all(directory_);
  }

  CheckOptions Script(const std::string& script) const {
    return {.command = {"/bin/sh", "-c", absl::StrCat("cd ", directory_, "; ", script)},
            .interval = absl::Milliseconds(200),
            .timeout = absl::Milliseconds(150),
            .rise = 2,
            .fall = 3};
  }
  void Run(const absl::optional<CheckOptions>& options) {
    thread_.Do([&] { check_->Run(options, {"/bin/sh", "/nonexistent/check"}); });
  }
  std::string Evidence(bool passes) { return seen_.AwaitPasses(0, passes).evidence; }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  std::string Read(const std::string& name) const {
    return ReadFile(Path(name), 1 << 20).value_or("");
  }
  // How many lines `name` has.
  int Lines(const std::string& name) const {
    const std::string text = Read(name);
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }
  void AwaitLines(const std::string& name, int lines) const {
    const absl::Time deadline = absl::Now() + kLong;
    while (Lines(name) < lines && absl::Now() < deadline) ::poll(nullptr, 0, 1);
    EXPECT_GE(Lines(name), lines);
  }
  // Whether each process whose number is a line of `name` is gone, or a zombie of somebody's.
  void ExpectGone(const std::string& name) const {
    for (absl::string_view line : absl::StrSplit(Read(name), '\n', absl::SkipEmpty())) {
      const std::string stat = absl::StrCat("/proc/", line, "/stat");
      const absl::Time deadline = absl::Now() + kLong;
      std::string state;
      do {
        state = ReadFile(stat, 4096).value_or("");
        ::poll(nullptr, 0, 1);
      } while (!state.empty() && !absl::StrContains(state, ") Z ") && absl::Now() < deadline);
      EXPECT_TRUE(state.empty() || absl::StrContains(state, ") Z ")) << state;
    }
  }

  std::string directory_;
  Seen seen_;
  test::LoopThread thread_;
  std::unique_ptr<Check> check_;
};

TEST_F(CheckTest, PassesWithExitCodeZero) {
  Run(Script("echo run >> runs; echo all is well"));
  const core::HealthCheck check = seen_.AwaitPasses(0, true);
  EXPECT_EQ(check.name, "check");
  EXPECT_EQ(check.evidence, "exit code 0");
  EXPECT_EQ(check.settles, absl::Milliseconds(350));
  EXPECT_GE(Lines("runs"), 2) << "its rise";
}

TEST_F(CheckTest, FailsWithAnotherAndItsLastLine) {
  Run(Script("echo run >> runs; echo first; echo 'the pool is empty' >&2; exit 3"));
  EXPECT_EQ(Evidence(false), "exit code 3: the pool is empty");
  EXPECT_GE(Lines("runs"), 3) << "its fall";
}

TEST_F(CheckTest, TurnsWhenWhatItChecksDoes) {
  Run(Script("test -e up"));
  EXPECT_EQ(Evidence(false), "exit code 1");
  std::ofstream(Path("up")) << "";
  EXPECT_EQ(Evidence(true), "exit code 0");
  std::filesystem::remove(Path("up"));
  EXPECT_EQ(Evidence(false), "exit code 1");
}

TEST_F(CheckTest, IsKilledAtItsTimeoutThoughItIgnoresSigterm) {
  Run(
      Script("trap '' TERM HUP INT; echo $$ >> pids; echo waiting; while :; do /bin/sleep 1000; "
             "done"));
  EXPECT_EQ(Evidence(false), "did not end within 150ms and was killed: waiting");
  Run({});
  ExpectGone("pids");
}

TEST_F(CheckTest, IsKilledWithItsGrandchildren) {
  Run(
      Script("(trap '' TERM; (/bin/sleep 1000 & echo $! >> pids; wait) & echo $! >> pids; wait) & "
             "wait"));
  EXPECT_THAT(Evidence(false), HasSubstr("did not end within"));
  Run({});
  EXPECT_GE(Lines("pids"), 2);
  ExpectGone("pids");
}

TEST_F(CheckTest, LeavesNothingBehindThoughItPasses) {
  Run(Script("/bin/sleep 1000 & echo $! >> pids"));
  Evidence(true);
  Run({});
  ExpectGone("pids");
}

TEST_F(CheckTest, ThatFloodsItsOutputIsCut) {
  Run(Script("trap '' PIPE; while :; do echo 'nothing but words, and more words'; done"));
  EXPECT_EQ(Evidence(false),
            "did not end within 150ms and was killed: nothing but words, and more words");
}

TEST_F(CheckTest, ThatFloodsAndEndsCountsAsItEnded) {
  Run(Script("head -c 300000 /dev/zero; echo; echo the end; exit 1"));
  EXPECT_EQ(Evidence(false), "exit code 1: the end");
}

TEST_F(CheckTest, ThatIsMissingSaysSo) {
  CheckOptions options = Script("");
  options.command = {"/nonexistent/check"};
  Run(options);
  EXPECT_THAT(Evidence(false), HasSubstr("cannot start /nonexistent/check: No such file"));
}

TEST_F(CheckTest, ThatTheNodeDoesNotAllowIsNotRun) {
  CheckOptions options = Script("");
  options.command = {"/bin/touch", Path("touched")};
  Run(options);
  EXPECT_EQ(Evidence(false),
            "/bin/touch is not among the programs that node1 allows: whoever administers it can "
            "add it to `programs` in its agent.yaml");
  EXPECT_FALSE(std::filesystem::exists(Path("touched")));
}

TEST_F(CheckTest, NeverRunsTwiceAtOnce) {
  ASSERT_EQ(::mkfifo(Path("forever").c_str(), 0600), 0);
  CheckOptions options =
      Script("exec 9> lock; flock -n 9 || echo x >> twice; echo run >> runs; read line < forever");
  options.timeout = options.interval;
  Run(options);
  AwaitLines("runs", 5);
  EXPECT_THAT(Evidence(false), HasSubstr("did not end within 200ms"));
  EXPECT_EQ(Read("twice"), "");
}

TEST_F(CheckTest, GoesOnUndisturbedIfNothingIsAnother) {
  Run(Script("exit 1"));
  Evidence(false);
  const int times = seen_.times();
  Run(Script("exit 1"));
  thread_.Do([this] { EXPECT_TRUE(check_->Result()) << "begun anew"; });
  EXPECT_EQ(seen_.times(), times);
}

TEST_F(CheckTest, BeginsAnewWithAnotherCommandAndKillsTheOldOne) {
  Run(Script("echo $$ >> pids; exec /bin/sleep 1000"));
  AwaitLines("pids", 1);
  Run(Script("exit 0"));
  EXPECT_EQ(Evidence(true), "exit code 0");
  ExpectGone("pids");
}

TEST_F(CheckTest, HasNoResultOnceThereIsNone) {
  Run(Script("exit 1"));
  Evidence(false);
  Run({});
  thread_.Do([this] { EXPECT_FALSE(check_->Result()); });
}

TEST(LastLine, IsTheLastThatSaysSomething) {
  EXPECT_EQ(LastLine(""), "");
  EXPECT_EQ(LastLine("one\ntwo\n"), "two");
  EXPECT_EQ(LastLine("one\r\n two \n \n"), "two");
  EXPECT_EQ(LastLine("a\tb\x1b[31mc\xff"), "a b?[31mc?");
  EXPECT_EQ(LastLine(std::string(500, 'x')), std::string(kMaxEvidence, 'x'));
}

}  // namespace
}  // namespace zcluster::health
