// SPDX-License-Identifier: Apache-2.0
#include "common/child.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace zcluster {
namespace {

using testing::HasSubstr;

TEST(Child, TellsHowItEnded) {
  auto child = Child::Start({.argv = {"/bin/sh", "-c", "exit 5"}});
  ASSERT_TRUE(child.ok()) << child.status();
  pollfd wait = {child->pidfd().get(), POLLIN, 0};
  ASSERT_EQ(::poll(&wait, 1, 20'000), 1);
  absl::optional<ChildExit> exit = child->Exit();
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->ToString(), "exit code 5");
}

TEST(Child, TellsTheSignalThatKilledIt) {
  auto child = Child::Start({.argv = {"/bin/sleep", "1000"}, .own_session = true});
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(::getsid(child->pid()), child->pid());
  EXPECT_FALSE(child->Exit().has_value());
  child->Signal(SIGKILL);
  pollfd wait = {child->pidfd().get(), POLLIN, 0};
  ASSERT_EQ(::poll(&wait, 1, 20'000), 1);
  EXPECT_EQ(child->Exit()->ToString(), "signal 9");
}

TEST(Child, HasNothingOfOursOpen) {
  UniqueFd leaked(::open("/dev/zero", O_RDONLY));
  auto output = MakeMemoryFile();
  ASSERT_TRUE(output.ok());
  auto child = Child::Start({.argv = {"/bin/ls", "-l", "/proc/self/fd"}, .output = output->get()});
  ASSERT_TRUE(child.ok()) << child.status();
  pollfd wait = {child->pidfd().get(), POLLIN, 0};
  ASSERT_EQ(::poll(&wait, 1, 20'000), 1);
  ASSERT_TRUE(child->Exit()->ok());
  EXPECT_THAT(ReadMemoryFile(output->get()), testing::Not(HasSubstr("/dev/zero")));
}

TEST(RunProgram, GivesItsInput) {
  EXPECT_TRUE(RunProgram({"/bin/grep", "-q", "^needle$"}, "hay\nneedle\n", absl::Seconds(20)).ok());
}

TEST(RunProgram, PassesOnWhatAFailedOneSaid) {
  const absl::Status status =
      RunProgram({"/bin/sh", "-c", "echo no such thing >&2; exit 3"}, "", absl::Seconds(20));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("exit code 3: no such thing"));
}

TEST(RunProgram, NamesTheOneThatIsMissing) {
  const absl::Status status = RunProgram({"/no/such/program"}, "", absl::Seconds(20));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("/no/such/program"));
}

TEST(RunProgram, KillsOneThatTakesTooLong) {
  const absl::Status status = RunProgram({"/bin/sleep", "1000"}, "", absl::Milliseconds(20));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace zcluster
