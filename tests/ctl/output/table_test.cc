// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/table.h"

#include <gtest/gtest.h>

namespace zcluster::ctl {
namespace {

TEST(Table, AlignsByCharactersNotBytes) {
  Table table({"A", "B"});
  table.Add({"h\xc3\xa9t\xc3\xa9", "x"});
  table.Add({"a", "y"});
  EXPECT_EQ(table.Render(Style(false)), "A     B\nh\xc3\xa9t\xc3\xa9  x\na     y\n");
}

TEST(Table, ColoursDoNotShiftColumns) {
  Table table({});
  table.Add({{"GREEN", Colour::kGreen}, "x"});
  table.Add({{"RED", Colour::kRed}, "y"});
  EXPECT_EQ(table.Render(Style(true), 2), "  \x1b[32mGREEN\x1b[0m  x\n  \x1b[31mRED\x1b[0m    y\n");
}

TEST(Table, NoTextBreaksALine) {
  Table table({});
  table.Add({"a\nb", "\x1b]0;x\x07"});
  EXPECT_EQ(table.Render(Style(false)),
            "a\xef\xbf\xbd"
            "b  \xef\xbf\xbd]0;x\xef\xbf\xbd\n");
}

}  // namespace
}  // namespace zcluster::ctl
