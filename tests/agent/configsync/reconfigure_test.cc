// SPDX-License-Identifier: Apache-2.0
// Roots come and go while both nodes run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agent/configsync/node.h"

namespace zcluster::configsync {
namespace {

using core::Role;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RootsReconfigured : public ConfigSyncTest {
 protected:
  // node1 is master of "tree", which both hold alike.
  void SetUp() override {
    Write(On1("a"), "one");
    Raise({Tree()});
    AssumeRoles();
    ASSERT_TRUE(BecomeEqual(2)) << Explain();
  }

  Root Tree() const { return {scratch_ / "shared/tree", {"*.swp"}}; }
  Root Other() const { return {scratch_ / "shared/other", {}}; }

  void Reconfigure(Node& node, const std::vector<Root>& roots) {
    const absl::Status status = node.Reconfigure(roots);
    ASSERT_TRUE(status.ok()) << status;
  }
  // Of root `i`, that it is alike and both know that.
  bool Alike(size_t i) {
    const core::RootState one = node1_->brain().root(i), two = node2_->brain().root(i);
    return one.path == two.path && one.Equal() && two.Equal() && one.problem.empty() &&
           two.problem.empty();
  }
};

TEST_F(RootsReconfigured, AnAddedOneIsSynchronisedAndFollows) {
  Write(scratch_ / "node1/other/x", "of the master");
  Write(scratch_ / "node2/other/y", "of the backup");
  for (Node* node : {node2_.get(), node1_.get()})
    ASSERT_NO_FATAL_FAILURE(Reconfigure(*node, {Tree(), Other()}));
  ASSERT_TRUE(WaitUntil([&] { return Alike(0) && Alike(1); })) << Explain();
  EXPECT_EQ(Read(scratch_ / "node2/other/x"), "of the master");
  EXPECT_FALSE(fs::exists(scratch_ / "node2/other/y"));
  EXPECT_THAT(node1_->brain().paths(), ElementsAre(Tree().path, Other().path));

  Write(scratch_ / "node1/other/x", "changed");
  Write(On1("a"), "two");
  EXPECT_TRUE(WaitUntil([&] {
    return Read(scratch_ / "node2/other/x") == "changed" && Read(On2("a")) == "two" && Alike(0) &&
           Alike(1);
  })) << Explain();
}

TEST_F(RootsReconfigured, TheMasterFirstIsAsGood) {
  Write(scratch_ / "node1/other/x", "of the master");
  ASSERT_NO_FATAL_FAILURE(Reconfigure(*node1_, {Other(), Tree()}));
  EXPECT_TRUE(WaitUntil([&] {
    return node1_->brain().root(0).problem.find("is not a root of this node") != std::string::npos;
  })) << Explain();
  ASSERT_NO_FATAL_FAILURE(Reconfigure(*node2_, {Other(), Tree()}));
  EXPECT_TRUE(WaitUntil([&] { return Alike(0) && Alike(1); })) << Explain();
}

TEST_F(RootsReconfigured, ARemovedOneStaysOnBothDisksAndIsLeftAlone) {
  Write(scratch_ / "node1/other/x", "kept");
  for (Node* node : {node2_.get(), node1_.get()})
    ASSERT_NO_FATAL_FAILURE(Reconfigure(*node, {Tree(), Other()}));
  ASSERT_TRUE(WaitUntil([&] { return Alike(0) && Alike(1); })) << Explain();
  for (Node* node : {node2_.get(), node1_.get()})
    ASSERT_NO_FATAL_FAILURE(Reconfigure(*node, {Other()}));
  ASSERT_TRUE(WaitUntil([&] {
    return node1_->brain().paths().size() == 1 && node2_->brain().paths().size() == 1 && Alike(0);
  })) << Explain();
  Write(On1("a"), "the master's alone");
  Write(scratch_ / "node1/other/x", "after it");
  ASSERT_TRUE(WaitUntil([&] { return Read(scratch_ / "node2/other/x") == "after it"; }));
  EXPECT_EQ(Read(On2("a")), "one");
}

TEST_F(RootsReconfigured, TheLastOneMayGoAndComeBack) {
  for (Node* node : {node2_.get(), node1_.get()}) ASSERT_NO_FATAL_FAILURE(Reconfigure(*node, {}));
  EXPECT_TRUE(WaitUntil(
      [&] { return node1_->brain().paths().empty() && node2_->brain().paths().empty(); }));
  Write(On1("a"), "two");
  for (Node* node : {node2_.get(), node1_.get()})
    ASSERT_NO_FATAL_FAILURE(Reconfigure(*node, {Tree()}));
  EXPECT_TRUE(WaitUntil([&] { return Read(On2("a")) == "two" && Equal(2); })) << Explain();
}

TEST_F(RootsReconfigured, OtherExcludesHold) {
  Write(On1("b.swp"), "an editor's");
  Root all = Tree();
  all.exclude.clear();
  for (Node* node : {node2_.get(), node1_.get()})
    ASSERT_NO_FATAL_FAILURE(Reconfigure(*node, {all}));
  EXPECT_TRUE(WaitUntil([&] { return fs::exists(On2("b.swp")) && Equal(3); })) << Explain();
}

TEST_F(RootsReconfigured, WhatCannotBeARootChangesNothing) {
  const absl::Status status = node1_->Reconfigure({Tree(), {"relative", {}}});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("absolute"));
  Write(On1("a"), "two");
  EXPECT_TRUE(WaitUntil([&] { return Read(On2("a")) == "two" && Equal(2); })) << Explain();
  EXPECT_THAT(node1_->brain().paths(), ElementsAre(Tree().path));
}

TEST_F(RootsReconfigured, AFlushThatWaitsIsAnsweredOnceThePeerHoldsTheNewRoots) {
  node2_->End();
  node1_->Flush(7);
  Write(scratch_ / "node1/other/x", "of the master");
  ASSERT_NO_FATAL_FAILURE(Reconfigure(*node1_, {Tree(), Other()}));
  EXPECT_THAT(node1_->brain().flushed(), IsEmpty());
  node2_ = std::make_unique<Node>(scratch_, "node2", "node1", std::vector<Root>{Tree(), Other()});
  node2_->Assume(Role::kBackup, 5);
  ASSERT_TRUE(WaitUntil([&] { return !node1_->brain().flushed().empty(); })) << Explain();
  EXPECT_THAT(node1_->brain().flushed(), ElementsAre(7U));
  EXPECT_EQ(Read(scratch_ / "node2/other/x"), "of the master");
}

TEST_F(RootsReconfigured, TheRolesMaySwapAfterIt) {
  for (Node* node : {node2_.get(), node1_.get()})
    ASSERT_NO_FATAL_FAILURE(Reconfigure(*node, {Tree(), Other()}));
  node1_->Assume(Role::kBackup, 6);
  node2_->Assume(Role::kMaster, 6);
  Write(On2("a"), "of the new master");
  EXPECT_TRUE(WaitUntil([&] { return Read(On1("a")) == "of the new master"; })) << Explain();
}

TEST_F(RootsReconfigured, ManyTimesInARowWhileFilesChange) {
  for (int i = 0; i < 20; ++i) {
    Write(On1("a"), absl::StrCat("round ", i));
    const std::vector<Root> roots =
        i % 2 == 0 ? std::vector<Root>{Tree(), Other()} : std::vector<Root>{Tree()};
    for (Node* node : {node2_.get(), node1_.get()})
      ASSERT_NO_FATAL_FAILURE(Reconfigure(*node, roots));
  }
  EXPECT_TRUE(WaitUntil([&] { return Read(On2("a")) == "round 19" && Equal(2); })) << Explain();
}

TEST_F(ConfigSyncTest, ReconfiguredBeforeItsStartBeginsWithTheNewRoots) {
  Loop loop;
  Brain brain;
  ConfigSync sync(loop, {},
                  grpc::CreateChannel("unix:/nonexistent", grpc::InsecureChannelCredentials()));
  Options options;
  options.roots = {{scratch_ / "shared/tree", {}}};
  EXPECT_TRUE(sync.Reconfigure(options).ok());
  ASSERT_TRUE(sync.Start(brain).ok());
  EXPECT_TRUE(WaitUntil([&] { return brain.paths().size() == 1; }));
  sync.Stop();
}

}  // namespace
}  // namespace zcluster::configsync
