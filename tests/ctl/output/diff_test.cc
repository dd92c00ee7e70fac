// SPDX-License-Identifier: Apache-2.0
#include "ctl/output/diff.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace zcluster::ctl {
namespace {

std::string Plain(const std::string& before, const std::string& after) {
  return Diff(before, after, Style(false));
}

TEST(Diff, OfTheSameIsEmpty) {
  EXPECT_EQ(Plain("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(Plain("", ""), "");
}

TEST(Diff, ShowsWhatGoesAndWhatComes) {
  EXPECT_EQ(Plain("a\nb\nc\n", "a\nx\nc\n"), "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n");
}

TEST(Diff, HasThreeLinesAround) {
  EXPECT_EQ(Plain("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n"),
            "@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+nine\n");
}

TEST(Diff, PartsThatAreFarAreApart) {
  std::string before, after;
  for (int i = 1; i <= 20; ++i) {
    absl::StrAppend(&before, i, "\n");
    absl::StrAppend(&after, i == 2 || i == 18 ? "x" : absl::StrCat(i), "\n");
  }
  EXPECT_EQ(Plain(before, after),
            "@@ -1,5 +1,5 @@\n 1\n-2\n+x\n 3\n 4\n 5\n"
            "@@ -15,6 +15,6 @@\n 15\n 16\n 17\n-18\n+x\n 19\n 20\n");
}

TEST(Diff, KeepsTheLongestCommonPart) {
  EXPECT_EQ(Plain("a\nb\nc\nd\n", "b\nc\nd\ne\n"), "@@ -1,4 +1,4 @@\n-a\n b\n c\n d\n+e\n");
}

TEST(Diff, OfNothingIsAllNew) {
  EXPECT_EQ(Plain("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
  EXPECT_EQ(Plain("a\n", ""), "@@ -1,1 +0,0 @@\n-a\n");
}

TEST(Diff, IsColouredWhereThatIsSeen) {
  EXPECT_EQ(Diff("a\n", "b\n", Style(true)),
            "\x1b[90m@@ -1,1 +1,1 @@\x1b[0m\n\x1b[31m-a\x1b[0m\n\x1b[32m+b\x1b[0m\n");
}

TEST(Diff, NoTextSteersTheTerminal) {
  EXPECT_EQ(Plain("", "\x1b[2J\n"), "@@ -0,0 +1,1 @@\n+\xef\xbf\xbd[2J\n");
}

TEST(Diff, OfHugeTextsIsBounded) {
  std::string before, after;
  for (int i = 0; i < 5000; ++i) {
    absl::StrAppend(&before, "a", i, "\n");
    absl::StrAppend(&after, "b", i, "\n");
  }
  const std::string diff = Plain(before, after);
  EXPECT_EQ(diff.substr(0, diff.find('\n')), "@@ -1,5000 +1,5000 @@");
}

}  // namespace
}  // namespace zcluster::ctl
