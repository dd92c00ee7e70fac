// SPDX-License-Identifier: Apache-2.0
// Holds the tree to its own rules, so that a review need not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace zcluster {
namespace {

namespace fs = std::filesystem;

const fs::path& Root() {
  static const fs::path root = ZC_SOURCE;
  return root;
}

std::vector<std::string> Lines(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Files below `folders` with one of `endings`, relative to the root, sorted.
std::vector<std::string> Files(const std::vector<std::string>& folders,
                               const std::vector<std::string>& endings) {
  std::vector<std::string> files;
  for (const std::string& folder : folders) {
    if (!fs::exists(Root() / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(Root() / folder)) {
      const std::string path = fs::relative(entry.path(), Root()).string();
      const bool wanted = std::any_of(endings.begin(), endings.end(), [&](const std::string& e) {
        return absl::EndsWith(path, e);
      });
      if (entry.is_regular_file() && wanted) files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> Sources() {
  return Files({"agent", "common", "controller", "ctl", "tests"}, {".cc", ".h"});
}

bool Within(absl::string_view path, absl::string_view folder) {
  return path == folder || absl::StartsWith(path, absl::StrCat(folder, "/"));
}

// A table of ours: lines of words, '#' begins a comment.
std::vector<std::vector<std::string>> Table(const std::string& name) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& line : Lines(Root() / "tests/tidy" / name)) {
    if (line.empty() || line[0] == '#') continue;
    rows.push_back(absl::StrSplit(line, ' ', absl::SkipEmpty()));
  }
  return rows;
}

std::string FolderOf(const std::string& path) { return fs::path(path).parent_path().string(); }

TEST(Tidy, IncludesFollowTheArchitecture) {
  const auto table = Table("includes");
  const std::set<std::string> ours = {"agent", "common", "controller", "ctl", "tests", "zcluster"};
  for (const std::string& file : Sources()) {
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const auto& r) { return Within(file, r[0]); });
    ASSERT_NE(row, table.end()) << file << ": no line of tests/tidy/includes is about it";
    for (const std::string& line : Lines(Root() / file)) {
      absl::string_view rest = line;
      if (!absl::ConsumePrefix(&rest, "#include \"")) continue;
      const std::string included(rest.substr(0, rest.find('"')));
      const std::string top = included.substr(0, included.find('/'));
      if (ours.count(top) == 0 || FolderOf(included) == FolderOf(file)) continue;
      const bool allowed = std::any_of(row->begin() + 1, row->end(),
                                       [&](const std::string& a) { return Within(included, a); });
      EXPECT_TRUE(allowed) << file << " includes " << included << ", which " << (*row)[0]
                           << " may not";
    }
  }
}

TEST(Tidy, EveryRoomHasAReadme) {
  std::set<std::string> rooms;
  for (const std::string& file : Files({"agent", "common", "controller", "ctl"}, {".cc"}))
    rooms.insert(FolderOf(file));
  for (const std::string& room : rooms) {
    EXPECT_TRUE(fs::exists(Root() / room / "README.md")) << room << " has no README.md";
  }
}

TEST(Tidy, EverySourceHasATestOrAReason) {
  std::map<std::string, std::string> reasons;
  for (const auto& row : Table("untested")) {
    EXPECT_GT(row.size(), 1U) << row[0] << ": tests/tidy/untested gives no reason";
    EXPECT_TRUE(fs::exists(Root() / row[0]))
        << row[0] << ": is in tests/tidy/untested, but is no more";
    reasons[row[0]] = "given";
  }
  for (const std::string& file : Files({"agent", "common", "controller", "ctl"}, {".cc"})) {
    const std::string test = absl::StrCat("tests/", absl::StripSuffix(file, ".cc"), "_test.cc");
    if (fs::exists(Root() / test)) {
      EXPECT_EQ(reasons.count(file), 0U)
          << file << " has a test: take it out of tests/tidy/untested";
    } else {
      EXPECT_EQ(reasons.count(file), 1U)
          << file << " has neither " << test << " nor a line in tests/tidy/untested";
    }
  }
}

TEST(Tidy, EveryProtoMessageFieldAndMethodIsCommented) {
  for (const std::string& file : Files({"proto"}, {".proto"})) {
    const std::vector<std::string> lines = Lines(Root() / file);
    for (size_t i = 1; i < lines.size(); ++i) {
      const absl::string_view line = absl::StripAsciiWhitespace(lines[i]);
      const bool wants = absl::StartsWith(line, "message ") || absl::StartsWith(line, "service ") ||
                         absl::StartsWith(line, "enum ") || absl::StartsWith(line, "rpc ") ||
                         (absl::StrContains(line, " = ") && absl::EndsWith(line, ";") &&
                          !absl::StartsWith(line, "//") && !absl::StartsWith(line, "syntax"));
      if (!wants) continue;
      const absl::string_view before = absl::StripAsciiWhitespace(lines[i - 1]);
      // An empty message and an enum's zero say all with their names; a oneof's members may stand
      // together.
      const bool plain = absl::EndsWith(line, "{}") ||
                         absl::StrContains(line, "_UNSPECIFIED = 0") ||
                         absl::StrContains(before, " = ");
      const bool in_oneof = absl::StartsWith(before, "oneof ");
      EXPECT_TRUE(absl::StartsWith(before, "//") || plain || in_oneof)
          << file << ":" << i + 1 << ": " << line << ": has no comment";
    }
  }
}

TEST(Tidy, EverySourceBeginsWithItsLicence) {
  for (const std::string& file : Sources()) {
    const std::vector<std::string> lines = Lines(Root() / file);
    ASSERT_FALSE(lines.empty()) << file;
    EXPECT_EQ(lines[0], "// SPDX-License-Identifier: Apache-2.0") << file;
    if (absl::EndsWith(file, ".h")) {
      EXPECT_THAT(lines, testing::Contains("#pragma once")) << file;
    }
  }
}

TEST(Tidy, NothingIsLeftUnfinished) {
  // Spelt apart, so that this file does not find itself.
  const std::vector<std::string> marks = {std::string("FIX") + "ME", std::string("TO") + "DO",
                                          std::string("X") + "XX:"};
  for (const std::string& file :
       Files({"agent", "common", "controller", "ctl", "tests", "deploy", "proto"},
             {".cc", ".h", ".proto", ".sh", ".txt", ".md"})) {
    int number = 0;
    for (const std::string& line : Lines(Root() / file)) {
      ++number;
      for (const std::string& mark : marks)
        EXPECT_FALSE(absl::StrContains(line, mark)) << file << ":" << number << ": " << line;
    }
  }
}

TEST(Tidy, NoTestSleepsInsteadOfWaiting) {
  const std::vector<std::string> sleeps = {std::string("sleep_") + "for",
                                           std::string("absl::Sleep") + "For",
                                           std::string("usle") + "ep("};
  for (const std::string& file : Files({"tests"}, {"_test.cc"})) {
    int number = 0;
    for (const std::string& line : Lines(Root() / file)) {
      ++number;
      for (const std::string& sleep : sleeps)
        EXPECT_FALSE(absl::StrContains(line, sleep)) << file << ":" << number << ": " << line;
    }
  }
}

TEST(Tidy, FilesHoldOneIdea) {
  // A test may be longer: its cases stand side by side and are not read through.
  constexpr size_t kMost = 500;
  constexpr size_t kMostOfATest = 600;
  for (const std::string& file : Sources()) {
    EXPECT_LE(Lines(Root() / file).size(), Within(file, "tests") ? kMostOfATest : kMost) << file;
  }
}

}  // namespace
}  // namespace zcluster
