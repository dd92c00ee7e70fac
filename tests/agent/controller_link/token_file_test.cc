// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::controller_link {
namespace {

using testing::HasSubstr;

class TokenFileTest : public testing::Test {
 protected:
  void Write(const std::string& text, unsigned mode) {
    ASSERT_TRUE(WriteFileDurably(path_, text, mode).ok());
  }
  absl::Status Refusal() { return ReadTokenFile(path_).status(); }

  const test::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/token";
};

TEST_F(TokenFileTest, IsReadWhole) {
  Write("zf1.a.b\n", 0600);
  EXPECT_EQ(*ReadTokenFile(path_), "zf1.a.b\n");
  Write("zf1.a.b\n", 0400);
  EXPECT_TRUE(ReadTokenFile(path_).ok());
}

TEST_F(TokenFileTest, MayBeMissing) { EXPECT_TRUE(absl::IsNotFound(Refusal())); }

TEST_F(TokenFileTest, MustBeRootsAlone) {
  for (const unsigned mode : {0640U, 0604U, 0620U, 0602U, 0644U, 0610U}) {
    Write("secret", mode);
    EXPECT_TRUE(absl::IsPermissionDenied(Refusal())) << mode;
    EXPECT_THAT(std::string(Refusal().message()), HasSubstr("others than root may read or change"));
    EXPECT_THAT(std::string(Refusal().message()), testing::Not(HasSubstr("secret")));
  }
  Write("secret", 0600);
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(Refusal()));
}

TEST_F(TokenFileTest, MustBeAFile) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr("is not a regular file"));
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  ASSERT_EQ(::symlink("elsewhere", path_.c_str()), 0);
  EXPECT_THAT(std::string(Refusal().message()), HasSubstr("is a link"));
}

TEST_F(TokenFileTest, IsNoLongerThanATokenMayBe) {
  Write(std::string(1024, 'x'), 0600);
  EXPECT_TRUE(ReadTokenFile(path_).ok());
  Write(std::string(1025, 'x'), 0600);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal()));
}

}  // namespace
}  // namespace zcluster::controller_link
