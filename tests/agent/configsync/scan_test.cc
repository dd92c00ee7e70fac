// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/agent/configsync/scratch.h"

namespace zcluster::configsync {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ScanTest : public testing::Test {
 protected:
  Scan Look(std::vector<std::string> exclude = {}) {
    auto scan = ScanRoot({scratch_ / "root", std::move(exclude)}, cache_, [](int) {});
    EXPECT_TRUE(scan.ok()) << scan.status();
    return scan.ok() ? *scan : Scan{};
  }
  static std::vector<std::string> Paths(const Scan& scan) {
    std::vector<std::string> paths;
    for (const Entry& entry : scan.manifest.entries) paths.push_back(entry.path);
    return paths;
  }
  Scratch scratch_;
  DigestCache cache_;
};

TEST_F(ScanTest, FindsAllSortedAndFitToSend) {
  Write(scratch_ / "root/b/c", "x");
  Write(scratch_ / "root/b-d", "x");
  fs::create_symlink("b", scratch_ / "root/a");
  const Scan scan = Look();
  EXPECT_THAT(Paths(scan), ElementsAre("", "a", "b", "b-d", "b/c"));
  EXPECT_EQ(scan.problem, "");
  EXPECT_TRUE(CheckManifest(scratch_ / "root", scan.manifest).ok());
}

TEST_F(ScanTest, NamesWhatIsNotReplicated) {
  const std::vector<std::pair<std::function<void(const std::string&)>, std::string>> cases{
      {[](const std::string& p) { ::mkfifo(p.c_str(), 0600); }, "x is a FIFO"},
      {[](const std::string& p) { ::mknod(p.c_str(), S_IFSOCK | 0600, 0); }, "x is a socket"},
      {[](const std::string& p) { ::mknod(p.c_str(), S_IFCHR | 0600, 259); }, "x is a device"},
      {[](const std::string& p) { fs::create_symlink("/etc", p); }, "x is a symbolic link out"}};
  fs::create_directory(scratch_ / "root");
  for (const auto& [make, said] : cases) {
    make(scratch_ / "root/x");
    const Scan scan = Look();
    EXPECT_THAT(scan.problem, HasSubstr(said));
    EXPECT_THAT(Paths(scan), ElementsAre(""));
    EXPECT_EQ(Look({"x"}).problem, "") << "excluded";
    fs::remove(scratch_ / "root/x");
  }
}

TEST_F(ScanTest, LeavesSetUserIdBehind) {
  Write(scratch_ / "root/su", "x", 04755);
  const Scan scan = Look();
  EXPECT_THAT(scan.problem, HasSubstr("su is set-user-id"));
  EXPECT_EQ(scan.manifest.Find("su")->mode, 0755U);
}

TEST_F(ScanTest, PassesOverTheStage) {
  Write(scratch_ / "root/.zcluster-stage/x", "x");
  EXPECT_THAT(Paths(Look()), ElementsAre(""));
}

TEST_F(ScanTest, ARootIsNoLink) {
  fs::create_directory(scratch_ / "elsewhere");
  fs::create_symlink("elsewhere", scratch_ / "root");
  EXPECT_THAT(Look().problem, HasSubstr("is a symbolic link"));
}

TEST_F(ScanTest, AMissingRootIsEmptyAndSaidToBe) {
  const Scan scan = Look();
  EXPECT_THAT(scan.problem, HasSubstr("does not exist"));
  EXPECT_TRUE(scan.manifest.entries.empty());
}

TEST_F(ScanTest, SeesAChangeThatKeepsSizeAndTimes) {
  Write(scratch_ / "root/f", "one");
  const auto time = fs::last_write_time(scratch_ / "root/f");
  const Digest before = Look().manifest.RootDigest();
  Write(scratch_ / "root/f", "two");
  fs::last_write_time(scratch_ / "root/f", time);
  EXPECT_NE(Look().manifest.RootDigest(), before);
}

TEST_F(ScanTest, ReadsAFileThatDidNotChangeOnlyOnce) {
  Write(scratch_ / "root/f", "one");
  struct stat stat {};
  // Remembered once its change time is clearly past.
  ASSERT_TRUE(WaitUntil([&] {
    Look();
    return ::stat((scratch_ / "root/f").c_str(), &stat) == 0 && cache_.Find("f", stat) != nullptr;
  }));
  EXPECT_EQ(*cache_.Find("f", stat), Look().manifest.Find("f")->digest);
  fs::remove(scratch_ / "root/f");
  Look();  // the look into the cache above counts as one more use
  Look();
  EXPECT_EQ(cache_.Find("f", stat), nullptr) << "forgotten with the file";
}

}  // namespace
}  // namespace zcluster::configsync
