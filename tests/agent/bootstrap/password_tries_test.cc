// SPDX-License-Identifier: Apache-2.0
#include "agent/bootstrap/password_tries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::bootstrap {
namespace {

using testing::HasSubstr;

class PasswordTriesTest : public testing::Test {
 protected:
  // Anew each time: all that counts is on the disk.
  PasswordTries Open() { return *PasswordTries::Open(path_); }

  test::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/password_tries";
};

TEST_F(PasswordTriesTest, AreFive) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Open().left(), 5 - i);
    EXPECT_EQ(Open().Take(), absl::OkStatus()) << i;
  }
  const absl::Status sixth = Open().Take();
  EXPECT_EQ(sixth.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(sixth.message(), "locked after five wrong passwords; on that node: zctl node unlock");
}

TEST_F(PasswordTriesTest, AreAllThereAgainWhenCleared) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Open().Take(), absl::OkStatus());
  EXPECT_EQ(Open().Clear(), absl::OkStatus());
  EXPECT_EQ(Open().left(), 5);
}

TEST_F(PasswordTriesTest, AreNotTakenIfThatCannotBeNoted) {
  PasswordTries tries = Open();
  std::filesystem::remove_all(directory_.path());
  EXPECT_THAT(tries.Take().message(), HasSubstr(path_));
}

TEST_F(PasswordTriesTest, NameAFileThatIsNotTheirs) {
  for (const char* text : {"", "many\n", "-1\n"}) {
    ASSERT_TRUE(WriteFileAtomically(path_, text, 0600).ok());
    EXPECT_THAT(PasswordTries::Open(path_).status().message(), HasSubstr(path_ + ": is damaged"));
  }
}

}  // namespace
}  // namespace zcluster::bootstrap
