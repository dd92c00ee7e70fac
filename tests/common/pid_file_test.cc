// SPDX-License-Identifier: Apache-2.0
#include "common/pid_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/file.h"

namespace zcluster {
namespace {

TEST(PidFile, IsHadByOneAtATime) {
  const std::string path = absl::StrCat(testing::TempDir(), "/pid-", ::getpid());
  {
    const auto first = TakePidFile(path, "zagent");
    ASSERT_TRUE(first.ok()) << first.status();
    EXPECT_EQ(*ReadFile(path, 100), absl::StrCat(::getpid(), "\n"));
    const auto second = TakePidFile(path, "zagent");
    EXPECT_TRUE(absl::IsAlreadyExists(second.status()));
    EXPECT_THAT(std::string(second.status().message()), testing::HasSubstr("another zagent runs"));
  }
  EXPECT_TRUE(TakePidFile(path, "zagent").ok()) << "the lock outlives its holder";
  ::unlink(path.c_str());
}

TEST(PidFile, NamesAPathThatCannotBe) {
  EXPECT_THAT(std::string(TakePidFile("/nonexistent/pid", "zagent").status().message()),
              testing::HasSubstr("/nonexistent/pid"));
}

}  // namespace
}  // namespace zcluster
