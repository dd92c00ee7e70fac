// SPDX-License-Identifier: Apache-2.0
#include "common/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace zcluster {
namespace {

using testing::HasSubstr;

struct Seen {
  std::string out;
  std::string err;
  ProcessEnd outcome;
};

Seen RunToEnd(const std::vector<std::string>& argv, const Process::Limits& limits) {
  Loop loop;
  Seen seen;
  absl::StatusOr<std::unique_ptr<Process>> process;
  loop.Post([&] {
    process = Process::Start(
        loop, argv, limits,
        [&](Process::Output from, absl::string_view bytes) {
          (from == Process::Output::kStandardOutput ? seen.out : seen.err)
              .append(bytes.data(), bytes.size());
        },
        [&](const ProcessEnd& outcome) {
          seen.outcome = outcome;
          loop.Quit();
        });
    if (!process.ok()) {
      seen.outcome.problem = std::string(process.status().message());
      loop.Quit();
    }
  });
  loop.Run();
  return seen;
}

Seen RunScript(const std::string& script, absl::Duration timeout = absl::Seconds(60)) {
  return RunToEnd({"/bin/sh", "-c", script}, {.timeout = timeout});
}

TEST(Process, GivesOutputsAndExitCode) {
  const Seen seen = RunScript("echo out; echo err >&2; exit 7");
  EXPECT_EQ(seen.out, "out\n");
  EXPECT_EQ(seen.err, "err\n");
  EXPECT_EQ(seen.outcome.exit_code, 7);
  EXPECT_EQ(seen.outcome.problem, "");
  EXPECT_GT(seen.outcome.took, absl::ZeroDuration());
}

TEST(Process, HasNothingOfOurs) {
  ::setenv("ZC_SECRET", "x", 1);
  const int leak = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a library might
  const Seen seen = RunScript("env | sort; pwd; ls /proc/self/fd | wc -l; cat | wc -c");
  ::close(leak);
  // 0, 1, 2 and the directory that ls itself reads.
  EXPECT_EQ(seen.out,
            "LANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "PWD=/\n/\n4\n0\n");
}

TEST(Process, CutsLongOutputAndSaysSo) {
  const Seen seen = RunScript("head -c 3000000 /dev/zero; echo end >&2");
  EXPECT_EQ(seen.out.size(), kMaxOutput);
  EXPECT_EQ(seen.err, absl::StrCat("end\nzagent: ", 3000000 - kMaxOutput,
                                   " bytes of standard output beyond 1 MiB were cut\n"));
  EXPECT_EQ(seen.outcome.exit_code, 0);
}

TEST(Process, SaysWhichSignalEndedIt) {
  EXPECT_THAT(RunScript("kill -KILL $$").outcome.problem, HasSubstr("signal 9 (Killed)"));
}

TEST(Process, SaysWhatCannotBeStarted) {
  EXPECT_THAT(RunToEnd({"/nonexistent/program"}, {.timeout = absl::Seconds(60)}).outcome.problem,
              HasSubstr("cannot start /nonexistent/program: No such file"));
}

// Gone, or waiting for a parent that does not wait: not running either way.
bool Ended(pid_t pid) {
  std::string state;
  if (FILE* file = std::fopen(absl::StrCat("/proc/", pid, "/stat").c_str(), "r")) {
    char line[256] = {};
    if (std::fgets(line, sizeof(line), file) != nullptr) state = line;
    std::fclose(file);
  }
  return state.empty() || state.find(") Z ") != std::string::npos;
}

TEST(Process, TimeoutEndsGrandchildrenToo) {
  const Seen seen = RunScript("(trap '' TERM; while :; do /bin/sleep 1000; done) & echo $!; wait",
                              absl::Milliseconds(300));
  EXPECT_THAT(seen.outcome.problem, HasSubstr("did not end within 300ms"));
  int grandchild = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripSuffix(seen.out, "\n"), &grandchild)) << seen.out;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!Ended(grandchild) && absl::Now() < deadline) ::poll(nullptr, 0, 1);
  EXPECT_TRUE(Ended(grandchild));
}

TEST(Process, WithoutGraceIsKilledAtItsTimeout) {
  const Seen seen = RunToEnd({"/bin/sh", "-c", "trap '' TERM; while :; do :; done"},
                             {.timeout = absl::Milliseconds(100), .grace = absl::ZeroDuration()});
  EXPECT_EQ(seen.outcome.problem, "did not end within 100ms and was killed");
}

TEST(Process, CanLeaveNothingBehind) {
  const Seen seen = RunToEnd({"/bin/sh", "-c", "/bin/sleep 1000 & echo $!; exit 3"},
                             {.timeout = absl::Seconds(60), .leaves_nothing = true});
  EXPECT_EQ(seen.outcome.exit_code, 3);
  int left = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripSuffix(seen.out, "\n"), &left)) << seen.out;
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!Ended(left) && absl::Now() < deadline) ::poll(nullptr, 0, 1);
  EXPECT_TRUE(Ended(left));
}

TEST(Process, WithoutGraceEndsAndIsReapedWhenNobodyWantsItAnyMore) {
  Loop loop;
  std::string out;
  std::unique_ptr<Process> process;
  loop.Post([&] {
    process = Process::Start(
                  loop, {"/bin/sh", "-c", "trap '' TERM; echo $$; while :; do :; done"},
                  {.timeout = absl::Seconds(60), .grace = absl::ZeroDuration()},
                  [&](Process::Output, absl::string_view bytes) {
                    out = std::string(bytes);
                    loop.Post([&] {
                      process.reset();
                      loop.Quit();
                    });
                  },
                  [](const ProcessEnd&) {})
                  .value();
  });
  loop.Run();
  int pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripSuffix(out, "\n"), &pid)) << out;
  EXPECT_EQ(::kill(pid, 0), -1) << "not even a zombie";
}

TEST(Process, KillsWhatIgnoresSigterm) {
  const Seen seen =
      RunScript("trap '' TERM; while :; do /bin/sleep 0.1; done", absl::Milliseconds(100));
  EXPECT_THAT(seen.outcome.problem, HasSubstr("was killed"));
  EXPECT_GE(seen.outcome.took, kGrace);
}

TEST(Process, DoesNotWaitForWhatItLeavesBehind) {
  const Seen seen = RunScript("/bin/sleep 1000 & echo $!");
  EXPECT_EQ(seen.outcome.exit_code, 0);
  int left = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripSuffix(seen.out, "\n"), &left)) << seen.out;
  ::kill(left, SIGKILL);
}

}  // namespace
}  // namespace zcluster
