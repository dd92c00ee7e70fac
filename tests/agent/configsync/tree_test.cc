// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/agent/configsync/scratch.h"

namespace zcluster::configsync {
namespace {

namespace fs = std::filesystem;

TEST(Tree, FollowsNoLinkAndLeadsNowhereElse) {
  const Scratch scratch;
  Write(scratch / "root/d/f", "x");
  Write(scratch / "secret", "x");
  fs::create_symlink("../secret", scratch / "root/out");
  fs::create_symlink("d", scratch / "root/link");
  auto tree = Tree::Open(scratch / "root");
  ASSERT_TRUE(tree.ok());
  EXPECT_TRUE(tree->OpenAt("d/f", O_RDONLY).ok());
  EXPECT_TRUE(tree->Locate("d/new").ok());
  EXPECT_FALSE(tree->OpenAt("out", O_RDONLY).ok());
  EXPECT_FALSE(tree->OpenAt("link/f", O_RDONLY).ok());
  EXPECT_FALSE(tree->Locate("link/f").ok());
  EXPECT_FALSE(tree->OpenAt("../../secret", O_RDONLY).ok());
}

TEST(Tree, ARootNeedNotExist) {
  const Scratch scratch;
  auto tree = Tree::Open(scratch / "missing");
  ASSERT_TRUE(tree.ok());
  EXPECT_TRUE(absl::IsNotFound(tree->OpenAt("", O_PATH).status()));
  EXPECT_TRUE(tree->Locate("").ok());
  EXPECT_TRUE(absl::IsNotFound(Tree::Open(scratch / "missing/root").status()));
}

}  // namespace
}  // namespace zcluster::configsync
