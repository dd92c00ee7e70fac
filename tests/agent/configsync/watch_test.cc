// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/watch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/configsync/scratch.h"

namespace zcluster::configsync {
namespace {

namespace fs = std::filesystem;
using testing::UnorderedElementsAre;

class WatchTest : public testing::Test {
 protected:
  WatchTest() : watch_(*Watch::Open()) {}
  void Add(size_t root, const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY));
    EXPECT_TRUE(watch_->Add(root, fd.get()).ok());
  }
  Scratch scratch_;
  std::unique_ptr<Watch> watch_;
};

TEST_F(WatchTest, TellsTheRootsThatChanged) {
  fs::create_directory(scratch_ / "a");
  fs::create_directory(scratch_ / "b");
  Add(1, scratch_ / "a");
  Add(2, scratch_ / "b");
  EXPECT_TRUE(watch_->Read().roots.empty());
  Write(scratch_ / "b/file", "x");
  EXPECT_THAT(watch_->Read().roots, UnorderedElementsAre(2));
  ::chmod((scratch_ / "a").c_str(), 0700);
  EXPECT_THAT(watch_->Read().roots, UnorderedElementsAre(1));
}

TEST_F(WatchTest, TellsOfANameAndNotOfItsNeighbours) {
  EXPECT_TRUE(watch_->AddName(3, scratch_.path(), "mine").ok());
  Write(scratch_ / "other", "x");
  EXPECT_TRUE(watch_->Read().roots.empty());
  Write(scratch_ / "mine", "x");
  EXPECT_THAT(watch_->Read().roots, UnorderedElementsAre(3));
}

TEST_F(WatchTest, DoesNotHearOfTheStage) {
  Add(1, scratch_.path());
  fs::create_directory(scratch_ / ".zcluster-stage");
  EXPECT_TRUE(watch_->Read().roots.empty());
}

TEST_F(WatchTest, LetsGoOfWhatIsNotNamedAgain) {
  fs::create_directory(scratch_ / "a");
  watch_->BeginPass(1);
  Add(1, scratch_ / "a");
  watch_->EndPass(1);
  watch_->BeginPass(1);
  watch_->EndPass(1);
  Write(scratch_ / "a/file", "x");
  EXPECT_TRUE(watch_->Read().roots.empty());
}

TEST_F(WatchTest, SaysThatEventsWereLost) {
  Add(1, scratch_.path());
  const UniqueFd a(::open((scratch_ / "a").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const UniqueFd b(::open((scratch_ / "b").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  size_t queue = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> queue;
  // Equal events in a row are merged by the kernel, so two files take turns.
  for (size_t i = 0; i < queue; ++i) {
    ASSERT_EQ(::pwrite(a.get(), "x", 1, 0), 1);
    ASSERT_EQ(::pwrite(b.get(), "x", 1, 0), 1);
  }
  EXPECT_TRUE(watch_->Read().overflow);
}

}  // namespace
}  // namespace zcluster::configsync
