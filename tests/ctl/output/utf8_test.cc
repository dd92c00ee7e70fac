// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/utf8.h"

#include <gtest/gtest.h>

namespace zcluster::ctl {
namespace {

TEST(Utf8, RefusesWhatRfc3629Refuses) {
  for (const char* text : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc3", "\xe2\x82"}) {
    EXPECT_FALSE(FirstRune(text).valid) << text;
    EXPECT_EQ(FirstRune(text).size, 1u) << text;
  }
  EXPECT_EQ(FirstRune("\xe2\x82\xac").value, 0x20acu);
  EXPECT_EQ(FirstRune("\xf4\x8f\xbf\xbf").value, 0x10ffffu);
}

TEST(Utf8, SanitiseLeavesNothingThatSteersATerminal) {
  EXPECT_EQ(Sanitise("plain \xc3\xa9"), "plain \xc3\xa9");
  EXPECT_EQ(Sanitise("a\x1b\x1b[2J\n"), "a\xef\xbf\xbd[2J\xef\xbf\xbd");
  EXPECT_EQ(Sanitise("\xc2\x9b"
                     "2J"),
            "\xef\xbf\xbd"
            "2J");  // CSI as one C1 control
  EXPECT_EQ(Sanitise("\x9b"
                     "2J"),
            "\xef\xbf\xbd"
            "2J");                                      // the same for an 8-bit terminal
  EXPECT_EQ(Sanitise("\xe2\x80\xae"), "\xef\xbf\xbd");  // turns the direction of writing
}

TEST(Utf8, SanitiseLinesKeepsLinesAndTabs) {
  EXPECT_EQ(SanitiseLines("a\n\tb\r\n"), "a\n\tb\xef\xbf\xbd\n");
}

TEST(Utf8, WidthCountsCharacters) { EXPECT_EQ(Width("h\xc3\xa9\xff"), 3u); }

}  // namespace
}  // namespace zcluster::ctl
