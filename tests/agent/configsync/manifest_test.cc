// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zcluster::configsync {
namespace {

using testing::HasSubstr;

Entry Directory(const std::string& path) { return {path, EntryType::kDirectory, 0755}; }
Entry File(const std::string& path, uint64_t content = 1) {
  return {path, EntryType::kFile, 0644, 0, 0, 3, Digest{content, content}};
}
Entry Link(const std::string& path, const std::string& target) {
  return {path, EntryType::kSymlink, 0, 0, 0, 0, {}, target};
}

TEST(RootDigest, SeesEachField) {
  const Manifest base{{Directory(""), File("a")}};
  std::vector<Manifest> others(8, base);
  others[0].entries[1].path = "b";
  others[1].entries[1].mode = 0600;
  others[2].entries[1].uid = 1;
  others[3].entries[1].gid = 1;
  others[4].entries[1].size = 4;
  others[5].entries[1].digest.low = 2;
  others[6].entries[1] = Link("a", "x");
  others[7].entries.pop_back();
  EXPECT_EQ(base.RootDigest(), Manifest(base).RootDigest());
  for (const Manifest& other : others) EXPECT_NE(other.RootDigest(), base.RootDigest());
}

TEST(Manifest, KnowsWhetherItHoldsAnything) {
  EXPECT_FALSE(Manifest{}.HasContent());
  EXPECT_FALSE((Manifest{{Directory("")}}.HasContent()));
  EXPECT_TRUE((Manifest{{Directory(""), Directory("a")}}.HasContent()));
  EXPECT_TRUE((Manifest{{File("")}}.HasContent()));
}

TEST(CheckPath, RefusesWhatLeadsOutOrIsOurs) {
  for (const char* good : {"", "a", "a/b", "...", "a b", ".hidden", "a\n"}) {
    EXPECT_TRUE(CheckPath(good).ok()) << good;
  }
  for (const char* bad : {"/", "/a", "a/", "a//b", ".", "..", "a/..", "./a", "../a",
                          ".zcluster-stage", "a/.zcluster-stage-1/b"}) {
    EXPECT_FALSE(CheckPath(bad).ok()) << bad;
  }
  EXPECT_FALSE(CheckPath(absl::string_view("a\0b", 3)).ok());
  EXPECT_FALSE(CheckPath(std::string(256, 'a')).ok());
  std::string deep = "a";
  for (int i = 0; i < 200; ++i) deep += "/a";
  EXPECT_FALSE(CheckPath(deep).ok());
}

TEST(CheckTarget, KeepsLinksInTheRoot) {
  EXPECT_TRUE(CheckTarget("/r", "l", "a").ok());
  EXPECT_TRUE(CheckTarget("/r", "d/l", "../a/b").ok());
  EXPECT_TRUE(CheckTarget("/r", "d/l", "..").ok());
  EXPECT_TRUE(CheckTarget("/r", "l", "./a//b").ok());
  EXPECT_TRUE(CheckTarget("/r", "l", "/r/a").ok());
  EXPECT_FALSE(CheckTarget("/r", "l", "..").ok());
  EXPECT_FALSE(CheckTarget("/r", "d/l", "../../x").ok());
  EXPECT_FALSE(CheckTarget("/r", "l", "/etc/passwd").ok());
  EXPECT_FALSE(CheckTarget("/r", "l", "/rx").ok());
  EXPECT_FALSE(CheckTarget("/r", "l", "/r/../etc").ok());
  EXPECT_FALSE(CheckTarget("/r", "l", "").ok());
  // Where another link may lead, ".." is not what it looks like.
  EXPECT_FALSE(CheckTarget("/r", "l", "d/e/up/../..").ok());
}

TEST(CheckManifest, NamesWhatMayNotBeSent) {
  const Entry root = Directory("");
  EXPECT_TRUE(CheckManifest("/r", {}).ok());
  EXPECT_TRUE(CheckManifest("/r", {{root, Directory("a"), File("a/b"), Link("l", "a")}}).ok());
  EXPECT_TRUE(CheckManifest("/r", {{File("")}}).ok());
  Entry huge = File("a");
  huge.size = kMaxFileSize + 1;
  Entry setuid = File("a");
  setuid.mode = 04755;
  Entry other_size = File("b");
  other_size.size = 4;
  const std::vector<std::pair<Manifest, std::string>> bad{
      {{{File("a")}}, "not the root"},
      {{{Link("", "a")}}, "not the root"},
      {{{root, File("b"), File("a")}}, "'a' is out of order"},
      {{{root, File("a"), File("a")}}, "twice"},
      {{{root, File("a/b")}}, "no directory of the manifest"},
      {{{root, Link("a", "b"), File("a/b")}}, "no directory of the manifest"},
      {{{File(""), File("a")}}, "no directory of the manifest"},
      {{{root, huge}}, "larger than 1 GiB"},
      {{{root, setuid}}, "mode bits"},
      {{{root, File("a"), other_size}}, "another size"}};
  for (const auto& [manifest, said] : bad) {
    EXPECT_THAT(std::string(CheckManifest("/r", manifest).message()), HasSubstr(said));
  }
}

TEST(IsExcluded, LooksAtEachComponent) {
  EXPECT_TRUE(IsExcluded({"*.swp"}, "a/.x.swp"));
  EXPECT_TRUE(IsExcluded({".git"}, "a/.git/config"));
  EXPECT_FALSE(IsExcluded({"a/b"}, "a/b"));
  EXPECT_FALSE(IsExcluded({}, "a"));
}

}  // namespace
}  // namespace zcluster::configsync
