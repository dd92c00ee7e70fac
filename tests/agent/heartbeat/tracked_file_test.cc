// SPDX-License-Identifier: Apache-2.0
#include "agent/heartbeat/tracked_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "common/file.h"

namespace zcluster::heartbeat {
namespace {

class TrackedFileTest : public testing::Test {
 protected:
  TrackedFileTest() {
    std::string pattern = testing::TempDir() + "/zt-tracked-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~TrackedFileTest() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
};

TEST_F(TrackedFileTest, HoldsOneNumber) {
  TrackedFile file(directory_ + "/fault");
  EXPECT_EQ(file.Read(), 0);
  ASSERT_TRUE(file.Write(1).ok());
  EXPECT_EQ(ReadFile(directory_ + "/fault").value(), "1\n");
  EXPECT_EQ(file.Read(), 1);
  ASSERT_TRUE(file.Write(0).ok());
  EXPECT_EQ(file.Read(), 0);
}

TEST_F(TrackedFileTest, IsMadeOnlyIfMissing) {
  TrackedFile file(directory_ + "/fault");
  ASSERT_TRUE(file.EnsureExists().ok());
  EXPECT_EQ(ReadFile(directory_ + "/fault").value(), "0\n");
  ASSERT_TRUE(file.Write(1).ok());
  TrackedFile next(directory_ + "/fault");
  ASSERT_TRUE(next.EnsureExists().ok());
  EXPECT_EQ(next.Read(), 1);
}

TEST_F(TrackedFileTest, ReadsGarbageAsKeepalivedDoes) {
  ASSERT_TRUE(WriteFileAtomically(directory_ + "/fault", "yes\n", 0600).ok());
  EXPECT_EQ(TrackedFile(directory_ + "/fault").Read(), 0);
}

TEST_F(TrackedFileTest, ReportsADirectoryThatIsGone) {
  EXPECT_FALSE(TrackedFile(directory_ + "/none/fault").Write(1).ok());
}

}  // namespace
}  // namespace zcluster::heartbeat
