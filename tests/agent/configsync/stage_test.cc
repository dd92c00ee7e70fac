// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/stage.h"

#include <gtest/gtest.h>

#include "tests/agent/configsync/scratch.h"

namespace zcluster::configsync {
namespace {

namespace fs = std::filesystem;

class StageTest : public testing::Test {
 protected:
  StageTest() {
    fs::create_directory(scratch_ / "root");
    Hasher hasher;
    hasher.Add("something");
    content_ = {9, hasher.Finish()};
    Make();
  }
  void Make() {
    auto tree = Tree::Open(scratch_ / "root");
    stage_.reset();
    stage_ = *Stage::Make(*tree, scratch_ / "root", false);
    stage_->Expect(content_);
  }
  Scratch scratch_;
  Content content_;
  std::unique_ptr<Stage> stage_;
};

TEST_F(StageTest, TakesWhatItExpects) {
  EXPECT_FALSE(stage_->CheckComplete().ok());
  EXPECT_TRUE(stage_->Receive(content_.digest, "some", false).ok());
  EXPECT_TRUE(stage_->Receive(content_.digest, "thing", true).ok());
  EXPECT_TRUE(stage_->CheckComplete().ok());
  EXPECT_EQ(ModeOf(scratch_ / "root/.zcluster-stage"), 0700U);
}

TEST_F(StageTest, RefusesEverythingElse) {
  EXPECT_TRUE(absl::IsInvalidArgument(stage_->Receive(Digest{1, 2}, "x", true))) << "not asked for";
  EXPECT_TRUE(absl::IsInvalidArgument(stage_->Receive(content_.digest, "SOMETHING", true)));
  Make();
  EXPECT_TRUE(absl::IsInvalidArgument(stage_->Receive(content_.digest, "some", true))) << "short";
  Make();
  EXPECT_TRUE(absl::IsInvalidArgument(stage_->Receive(content_.digest, "something more", false)));
  Make();
  EXPECT_TRUE(stage_->Receive(content_.digest, "some", false).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(stage_->Receive(Digest{1, 2}, "x", true))) << "mixed";
}

TEST_F(StageTest, SaysWhenTheDiskIsTooSmall) {
  EXPECT_TRUE(stage_->CheckSpace(1).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(stage_->CheckSpace(1ULL << 60)));
}

TEST_F(StageTest, LeavesNothingBehind) {
  EXPECT_TRUE(stage_->Receive(content_.digest, "some", false).ok());
  stage_.reset();
  EXPECT_TRUE(fs::is_empty(scratch_ / "root"));
  Write(scratch_ / "root/.zcluster-stage/new-1", "of a crash");
  EXPECT_TRUE(Stage::RemoveLeftovers(scratch_ / "root").ok());
  EXPECT_TRUE(fs::is_empty(scratch_ / "root"));
  EXPECT_TRUE(Stage::RemoveLeftovers(scratch_ / "missing/root").ok());
}

}  // namespace
}  // namespace zcluster::configsync
