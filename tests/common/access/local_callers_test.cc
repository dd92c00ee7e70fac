// SPDX-License-Identifier: Apache-2.0
#include "common/access/local_callers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/unique_fd.h"
#include "tests/support/local_client.h"
#include "tests/support/certificates.h"

namespace zcluster::access {
namespace {

using testing::HasSubstr;

class CallerTest : public testing::Test {
 protected:
  CallerTest() {
    const sockaddr_un address = test::UnixAddress(path_);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    EXPECT_EQ(::listen(listener_.get(), 1), 0);
    ::chmod(directory_.path().c_str(), 0755);
    ::chmod(path_.c_str(), 0666);
  }

  absl::StatusOr<Caller> As(const test::User& user, absl::optional<gid_t> group = test::GroupId()) {
    const auto client = test::ConnectAs(path_, user);
    EXPECT_TRUE(client.ok()) << client.status();
    const UniqueFd accepted(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    return CallerOf(accepted.get(), group);
  }

  test::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/socket";
  const UniqueFd listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

TEST_F(CallerTest, RootIsAdmin) {
  const absl::StatusOr<Caller> caller = As(test::kRoot);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->name, "root");
  EXPECT_EQ(caller->right, Right::kAdmin);
  EXPECT_THAT(caller->from, HasSubstr("local socket, pid "));
  EXPECT_FALSE(caller->peer);
}

TEST_F(CallerTest, AMemberOfTheGroupIsOperator) {
  const absl::StatusOr<Caller> caller = As(test::kMember);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->name, "uid 65534 (nobody)");
  EXPECT_EQ(caller->right, Right::kOperator);
}

TEST_F(CallerTest, ItMayBeTheUsersOwnGroup) {
  const absl::StatusOr<Caller> caller = As({12345, test::GroupId(), {}});
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->name, "uid 12345") << "whom /etc/passwd does not name";
  EXPECT_EQ(caller->right, Right::kOperator);
}

TEST_F(CallerTest, OneOfManyGroupsIsEnough) {
  test::User user{12345, 12345, {}};
  for (gid_t group = 20000; group < 20500; ++group) user.groups.push_back(group);
  EXPECT_TRUE(absl::IsPermissionDenied(As(user).status()));
  user.groups.push_back(test::GroupId());
  EXPECT_TRUE(As(user).ok());
}

TEST_F(CallerTest, OthersAreNobody) {
  const absl::Status status = As(test::kStranger).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("uid 65534 (nobody)"));
  EXPECT_TRUE(absl::IsPermissionDenied(As(test::kMember, absl::nullopt).status()));
}

TEST(LocalCallers, ANumberStandsForTheLatestWithIt) {
  LocalCallers callers;
  callers.Set(13, {.name = "root", .right = Right::kAdmin});
  ASSERT_TRUE(callers.Find("fd:13"));
  EXPECT_EQ(callers.Find("fd:13")->name, "root");
  callers.Set(13, {.name = "uid 1"});
  EXPECT_EQ(callers.Find("fd:13")->name, "uid 1");
}

TEST(LocalCallers, WhatIsNoLocalConnectionIsNobody) {
  LocalCallers callers;
  callers.Set(13, {.name = "root", .right = Right::kAdmin});
  for (const char* peer : {"", "fd:", "fd:14", "fd:13:1", "unix:", "13", "ipv4:10.0.0.1:13"})
    EXPECT_FALSE(callers.Find(peer)) << peer;
}

}  // namespace
}  // namespace zcluster::access
