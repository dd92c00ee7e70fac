// SPDX-License-Identifier: Apache-2.0
#include "common/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace zcluster {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    std::string pattern = testing::TempDir() + "zc-file-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~FileTest() override { std::filesystem::remove_all(directory_); }
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  std::string directory_;
};

TEST_F(FileTest, ReplacesAFileWholeAndLeavesNoTemporary) {
  ASSERT_TRUE(WriteFileDurably(Path("a"), "old", 0644).ok());
  ASSERT_TRUE(WriteFileDurably(Path("a"), "new", 0600).ok());
  EXPECT_EQ(*ReadFile(Path("a")), "new");
  struct stat info;
  ASSERT_EQ(::stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(FileTest, NamesThePathThatCannotBeRead) {
  EXPECT_THAT(std::string(ReadFile(Path("none")).status().message()), testing::HasSubstr("/none"));
}

TEST_F(FileTest, RefusesAFileOverItsLimit) {
  ASSERT_TRUE(WriteFileAtomically(Path("a"), "12345", 0644).ok());
  EXPECT_EQ(ReadFile(Path("a"), 4).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(ReadFile(Path("a"), 5).ok());
}

TEST_F(FileTest, KeepsTheOldFileWhenTheNewOneCannotBeWritten) {
  EXPECT_FALSE(WriteFileDurably(Path("missing/a"), "x", 0644).ok());
}

TEST_F(FileTest, MakesMissingParents) {
  ASSERT_TRUE(MakeDirectories(Path("x/y/z"), 0700).ok());
  ASSERT_TRUE(MakeDirectories(Path("x/y/z"), 0700).ok());
  struct stat info;
  ASSERT_EQ(::stat(Path("x/y/z").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "", 0644).ok());
  EXPECT_FALSE(MakeDirectories(Path("f"), 0700).ok());
}

TEST_F(FileTest, RemovesWhatACrashLeftBesideAFileAndNothingElse) {
  for (const char* name : {"a", "a.77.0.tmp", "a.78.3.tmp", "a.old", "ab.1.0.tmp"}) {
    ASSERT_TRUE(WriteFileDurably(Path(name), "x", 0600).ok());
  }
  RemoveLeftovers(Path("a"));
  EXPECT_FALSE(ReadFile(Path("a.77.0.tmp")).ok());
  EXPECT_FALSE(ReadFile(Path("a.78.3.tmp")).ok());
  for (const char* name : {"a", "a.old", "ab.1.0.tmp"}) EXPECT_TRUE(ReadFile(Path(name)).ok());
}

TEST_F(FileTest, RemovesAFileOnceAndThenHasNothingToDo) {
  ASSERT_TRUE(WriteFileDurably(Path("a"), "x", 0600).ok());
  EXPECT_TRUE(RemoveFileDurably(Path("a")).ok());
  EXPECT_TRUE(RemoveFileDurably(Path("a")).ok());
  EXPECT_FALSE(ReadFile(Path("a")).ok());
}

}  // namespace
}  // namespace zcluster
