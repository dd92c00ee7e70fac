// SPDX-License-Identifier: Apache-2.0
#include "common/kept_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/file.h"

namespace zcluster::kept {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

class KeptFiles : public testing::Test {
 protected:
  KeptFiles() {
    std::string pattern = testing::TempDir() + "/zt-kept-XXXXXX";
    base_ = ::mkdtemp(pattern.data());
    directory_ = base_ + "/conflicts";
    std::ofstream(base_ + "/a.cfg") << "mine";
  }
  ~KeptFiles() override { std::filesystem::remove_all(base_); }

  UniqueFd Open() const {
    return UniqueFd(::open((base_ + "/a.cfg").c_str(), O_RDONLY | O_CLOEXEC));
  }
  std::string Keep(absl::Time now = kNow) const {
    auto maker = Maker::Begin(directory_, "/etc/x", 7);
    EXPECT_TRUE(maker.ok()) << maker.status();
    EXPECT_TRUE((*maker)->AddFile("d/a.cfg", Open()).ok());
    const auto id = (*maker)->Finish(now);
    EXPECT_TRUE(id.ok()) << id.status();
    return id.value_or("");
  }
  std::vector<std::string> Ids() const {
    std::vector<std::string> ids;
    const auto sets = List(directory_);
    EXPECT_TRUE(sets.ok()) << sets.status();
    for (const Set& set : sets.value_or(std::vector<Set>())) ids.push_back(set.id);
    return ids;
  }

  std::string base_, directory_;
};

TEST_F(KeptFiles, AreNoneAtFirst) { EXPECT_THAT(Ids(), IsEmpty()); }

TEST_F(KeptFiles, AreAsTheyWere) {
  auto maker = Maker::Begin(directory_, "/etc/x", 7);
  ASSERT_TRUE(maker.ok());
  ::chmod((base_ + "/a.cfg").c_str(), 0640);
  ASSERT_TRUE((*maker)->AddFile("d/with\nline", Open()).ok());
  ASSERT_TRUE((*maker)->AddSymlink("link", "d").ok());
  EXPECT_THAT(Ids(), IsEmpty()) << "not before it is finished";
  EXPECT_EQ((*maker)->Finish(kNow).value_or(""), "20260921T141320Z");
  const auto sets = List(directory_);
  ASSERT_TRUE(sets.ok()) << sets.status();
  ASSERT_EQ(sets->size(), 1u);
  const Set& set = sets->front();
  EXPECT_EQ(set.root, "/etc/x");
  EXPECT_EQ(set.term, 7u);
  ASSERT_EQ(set.files.size(), 2u);
  EXPECT_EQ(ReadFile(set.files[0]).value_or(""), "mine");
  EXPECT_EQ(std::filesystem::status(set.files[0]).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write |
                std::filesystem::perms::group_read);
  EXPECT_EQ(std::filesystem::read_symlink(set.files[1]), "d");
}

TEST_F(KeptFiles, ComeFromAnotherFilesystem) {
  std::string pattern = "/dev/shm/zt-kept-XXXXXX";
  const UniqueFd source(::mkstemp(pattern.data()));
  ASSERT_TRUE(source);
  ::unlink(pattern.c_str());
  struct stat there = {}, here = {};
  ASSERT_EQ(::fstat(source.get(), &there), 0);
  ASSERT_EQ(::stat(base_.c_str(), &here), 0);
  ASSERT_NE(there.st_dev, here.st_dev);
  const std::string content(300'000, 'x');
  ASSERT_EQ(::write(source.get(), content.data(), content.size()),
            static_cast<ssize_t>(content.size()));
  ASSERT_EQ(::lseek(source.get(), 0, SEEK_SET), 0);
  auto maker = Maker::Begin(directory_, "/etc/x", 7);
  ASSERT_TRUE(maker.ok());
  const absl::Status added = (*maker)->AddFile("a", UniqueFd(::dup(source.get())));
  ASSERT_TRUE(added.ok()) << added;
  ASSERT_TRUE((*maker)->Finish(kNow).ok());
  EXPECT_EQ(ReadFile(List(directory_)->front().files[0]).value_or(""), content);
}

TEST_F(KeptFiles, OfOneSecondHaveNamesOfTheirOwn) {
  Keep();
  Keep();
  EXPECT_THAT(Ids(), ElementsAre("20260921T141320Z", "20260921T141320Z-2"));
}

TEST_F(KeptFiles, AreDroppedByName) {
  const std::string id = Keep();
  EXPECT_TRUE(absl::IsNotFound(Drop(directory_, "..")));
  EXPECT_TRUE(absl::IsNotFound(Drop(directory_, "20260101T000000Z")));
  EXPECT_THAT(Ids(), ElementsAre(id));
  EXPECT_TRUE(Drop(directory_, id).ok());
  EXPECT_THAT(Ids(), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(KeptFiles, OfAMakerThatGaveUpAreGone) {
  {
    auto maker = Maker::Begin(directory_, "/etc/x", 7);
    ASSERT_TRUE(maker.ok());
    ASSERT_TRUE((*maker)->AddFile("a", Open()).ok());
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(KeptFiles, TheOldestGoesForANewOne) {
  std::vector<std::string> ids;
  for (size_t i = 0; i < kMostSets + 2; ++i)
    ids.push_back(Keep(kNow + absl::Minutes(static_cast<int64_t>(i))));
  ids.erase(ids.begin(), ids.begin() + 2);
  EXPECT_EQ(Ids(), ids);
}

TEST_F(KeptFiles, BeyondTheBoundAreCounted) {
  auto maker = Maker::Begin(directory_, "/etc/x", 7);
  ASSERT_TRUE(maker.ok());
  for (size_t i = 0; i < kMostFiles + 3; ++i)
    ASSERT_TRUE((*maker)->AddSymlink(absl::StrCat("l", i), "x").ok());
  ASSERT_TRUE((*maker)->Finish(kNow).ok());
  const auto sets = List(directory_);
  ASSERT_TRUE(sets.ok());
  EXPECT_EQ(sets->front().files.size(), kMostFiles);
  EXPECT_EQ(sets->front().left_out, 3u);
}

}  // namespace
}  // namespace zcluster::kept
