// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/commit.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/configsync/scan.h"
#include "tests/agent/configsync/scratch.h"

namespace zcluster::configsync {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

Content ContentOf(const std::string& text) {
  Hasher hasher;
  hasher.Add(text);
  return {text.size(), hasher.Finish()};
}

Entry Directory(const std::string& path) { return {path, EntryType::kDirectory, 0755}; }
Entry File(const std::string& path, const std::string& text, uint32_t mode = 0644) {
  const Content content = ContentOf(text);
  return {path, EntryType::kFile, mode, 0, 0, content.size, content.digest};
}

TEST(MakePlan, AsksForNothingThatIsHeldSomewhere) {
  const Manifest held{{Directory(""), File("a", "1"), File("b", "2"), File("gone", "3")}};
  const Manifest wanted{{Directory(""), File("a", "1", 0600), File("b", "3"), File("c", "4")}};
  const Plan plan = MakePlan(held, wanted);
  ASSERT_EQ(plan.missing.size(), 1U);
  EXPECT_EQ(plan.missing[0].digest, ContentOf("4").digest);
  EXPECT_THAT(plan.attributes, ElementsAre(1));
  EXPECT_THAT(plan.renames, ElementsAre(2, 3));
  EXPECT_THAT(plan.gone, ElementsAre(3));
  EXPECT_THAT(plan.in_the_way, IsEmpty());
}

TEST(MakePlan, ClearsTheWayForAnotherKind) {
  const Manifest held{{Directory(""), Directory("d"), File("d/x", "1"), File("f", "2")}};
  const Manifest wanted{{Directory(""), File("d", "1"), Directory("f")}};
  const Plan plan = MakePlan(held, wanted);
  EXPECT_THAT(plan.in_the_way, ElementsAre(3, 2, 1));  // what a directory holds before it
  EXPECT_THAT(plan.gone, IsEmpty());
}

class CommitTest : public testing::Test {
 protected:
  CommitTest() {
    Write(scratch_ / "root/a", "old a");
    Write(scratch_ / "root/b", "old b");
    held_ = Look();
  }
  Manifest Look() {
    DigestCache cache;
    return ScanRoot({scratch_ / "root", {}}, cache, [](int) {})->manifest;
  }
  // A stage that received `texts`.
  void Begin(const Manifest& wanted, const std::vector<std::string>& texts) {
    plan_ = MakePlan(held_, wanted);
    tree_ = std::make_unique<Tree>(*Tree::Open(scratch_ / "root"));
    stage_ = *Stage::Make(*tree_, scratch_ / "root", false);
    for (const Content& content : plan_.missing) stage_->Expect(content);
    for (const std::string& text : texts) {
      ASSERT_TRUE(stage_->Receive(ContentOf(text).digest, text, true).ok());
    }
  }
  absl::Status Put(const Manifest& wanted) { return Commit(*tree_, *stage_, held_, wanted, plan_); }
  Scratch scratch_;
  Manifest held_;
  Plan plan_;
  std::unique_ptr<Tree> tree_;
  std::unique_ptr<Stage> stage_;
};

TEST_F(CommitTest, MakesTheRootWhatIsWanted) {
  const Manifest wanted{{Directory(""), File("a", "new", 0600), Directory("d"),
                         File("d/b", "old b"), File("d/copy", "new")}};
  Begin(wanted, {"new"});
  ASSERT_TRUE(stage_->CheckComplete().ok());
  ASSERT_TRUE(Put(wanted).ok());
  stage_.reset();
  EXPECT_EQ(Look().RootDigest(), wanted.RootDigest());
  EXPECT_FALSE(fs::exists(scratch_ / "root/.zcluster-stage"));
}

TEST_F(CommitTest, LeavesTheRootUntouchedIfAFileCannotBeMade) {
  const Manifest wanted{{Directory(""), File("a", "new"), File("moved", "old b")}};
  Begin(wanted, {"new"});
  Write(scratch_ / "root/b", "edited meanwhile");  // the content that "moved" was to get
  EXPECT_TRUE(absl::IsAborted(Put(wanted)));
  EXPECT_EQ(Read(scratch_ / "root/a"), "old a");
  EXPECT_EQ(Read(scratch_ / "root/b"), "edited meanwhile");
}

TEST_F(CommitTest, FollowsNoLinkThatTookADirectorysPlace) {
  fs::create_directory(scratch_ / "root/d");
  fs::create_directory(scratch_ / "outside");
  held_ = Look();
  const Manifest wanted{{Directory(""), File("a", "old a"), File("b", "old b"), Directory("d"),
                         File("d/new", "new")}};
  Begin(wanted, {"new"});
  fs::remove(scratch_ / "root/d");
  fs::create_symlink("../outside", scratch_ / "root/d");
  EXPECT_FALSE(Put(wanted).ok());
  EXPECT_TRUE(fs::is_empty(scratch_ / "outside"));
}

}  // namespace
}  // namespace zcluster::configsync
