// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/style.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "common/unique_fd.h"

namespace zcluster::ctl {
namespace {

std::string Painted(const Style& style) { return style.Paint(Colour::kGreen, "x"); }

class StyleTest : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("NO_COLOR");
    unsetenv("COLORTERM");
    setenv("TERM", "xterm", 1);
    terminal_.Reset(posix_openpt(O_RDWR | O_NOCTTY));
    ASSERT_TRUE(terminal_);
  }
  UniqueFd terminal_;
};

TEST_F(StyleTest, ColoursATerminal) {
  EXPECT_EQ(Painted(Style::For(terminal_.get(), false)), "\x1b[32mx\x1b[0m");
}

TEST_F(StyleTest, DoesNotColourAFile) {
  UniqueFd file(open("/dev/null", O_WRONLY));
  EXPECT_EQ(Painted(Style::For(file.get(), false)), "x");
}

TEST_F(StyleTest, DoesNotColourWhenRefused) {
  EXPECT_EQ(Painted(Style::For(terminal_.get(), true)), "x");
  setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(Painted(Style::For(terminal_.get(), false)), "x");
}

TEST_F(StyleTest, DoesNotColourATerminalThatCannot) {
  setenv("TERM", "dumb", 1);
  EXPECT_EQ(Painted(Style::For(terminal_.get(), false)), "x");
}

TEST_F(StyleTest, OrangeIsYellowWhereThereIsNoOrange) {
  EXPECT_EQ(Style(true).Paint(Colour::kOrange, "x"), "\x1b[33mx\x1b[0m");
  setenv("TERM", "xterm-256color", 1);
  EXPECT_EQ(Style(true).Paint(Colour::kOrange, "x"), "\x1b[38;5;208mx\x1b[0m");
}

}  // namespace
}  // namespace zcluster::ctl
