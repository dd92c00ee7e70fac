// SPDX-License-Identifier: Apache-2.0
#include "ctl/terminal/prompt.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <sstream>

#include "common/unique_fd.h"

namespace zcluster::ctl {
namespace {

using testing::HasSubstr;

// A pipe with something in it, and its end.
UniqueFd Input(const std::string& text) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const UniqueFd write_end(ends[1]);
  EXPECT_EQ(write(write_end.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return UniqueFd(ends[0]);
}

TEST(Prompt, ReadsALineAndNothingBehindIt) {
  const UniqueFd input = Input("one\ntwo\nthree");
  std::ostringstream screen;
  Prompt prompt(input.get(), screen);
  EXPECT_EQ(*prompt.Line("? "), "one");
  EXPECT_EQ(prompt.Hidden("? ")->text(), "two");
  EXPECT_EQ(*prompt.Line("? "), "three");
  EXPECT_EQ(prompt.Line("? ").status().code(), absl::StatusCode::kOutOfRange);
}

TEST(Prompt, AsksNobodyWhereNobodySits) {
  const UniqueFd input = Input("secret\n");
  std::ostringstream screen;
  Prompt prompt(input.get(), screen);
  EXPECT_FALSE(prompt.IsTerminal());
  EXPECT_EQ(prompt.Hidden("password: ")->text(), "secret");
  EXPECT_EQ(screen.str(), "");
}

TEST(Prompt, AnEmptyLineIsNotTheEnd) {
  const UniqueFd input = Input("\n");
  std::ostringstream screen;
  EXPECT_TRUE(Prompt(input.get(), screen).Hidden("")->empty());
}

TEST(Prompt, RefusesALineThatIsTooLong) {
  const UniqueFd most = Input(std::string(kMaxLine, 'x') + "\n");
  const UniqueFd more = Input(std::string(kMaxLine + 1, 'x') + "\n");
  std::ostringstream screen;
  EXPECT_EQ(Prompt(most.get(), screen).Line("")->size(), kMaxLine);
  EXPECT_EQ(Prompt(more.get(), screen).Line("").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Prompt, OnlyYesIsYes) {
  for (const std::string yes : {"y\n", "Y\n", "yes\n", " YES \n"}) {
    const UniqueFd input = Input(yes);
    std::ostringstream screen;
    EXPECT_TRUE(Prompt(input.get(), screen).Confirm("?")) << yes;
  }
  for (const std::string no : {"", "\n", "n\n", "no\n", "yep\n", "ja\n"}) {
    const UniqueFd input = Input(no);
    std::ostringstream screen;
    EXPECT_FALSE(Prompt(input.get(), screen).Confirm("?")) << no;
  }
}

TEST(Prompt, AnErrorIsToldAsOne) {
  std::ostringstream screen;
  EXPECT_FALSE(Prompt(-1, screen).Line("").ok());
}

TEST(Prompt, ShowsTheQuestionOnATerminal) {
  int master = -1, terminal = -1;
  ASSERT_EQ(openpty(&master, &terminal, nullptr, nullptr, nullptr), 0);
  const UniqueFd typist(master), input(terminal);
  std::ostringstream screen;
  Prompt prompt(input.get(), screen);
  EXPECT_TRUE(prompt.IsTerminal());
  ASSERT_EQ(write(typist.get(), "192.0.2.1\n", 10), 10);
  EXPECT_EQ(*prompt.Line("address? "), "192.0.2.1");
  EXPECT_EQ(screen.str(), "address? ");
}

}  // namespace
}  // namespace zcluster::ctl
