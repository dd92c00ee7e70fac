// SPDX-License-Identifier: Apache-2.0
#include "ctl/remote/contexts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/certificates.h"

namespace zcluster::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Credential Example(const std::string& pair) {
  return {.pair = pair,
          .name = "anna",
          .addresses = {"192.0.2.1:7702"},
          .certificate = "c\n",
          .key = "k\n",
          .ca = "a\n"};
}

unsigned ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

class ContextsTest : public testing::Test {
 protected:
  test::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/config/zcluster";
  const Contexts contexts_{path_};
};

TEST_F(ContextsTest, AnEmptyStoreIsLocal) {
  EXPECT_EQ(*contexts_.Current(), "local");
  EXPECT_THAT(*contexts_.Names(), IsEmpty());
}

TEST_F(ContextsTest, KeepsWhatWasAdded) {
  ASSERT_EQ(contexts_.Add("web", Example("web")), absl::OkStatus());
  ASSERT_EQ(contexts_.Add("db", Example("db")), absl::OkStatus());
  EXPECT_THAT(*contexts_.Names(), ElementsAre("db", "web"));
  EXPECT_EQ(contexts_.Get("db")->pair, "db");
  EXPECT_EQ(contexts_.Get("db")->key, "k\n");
}

TEST_F(ContextsTest, IsForNobodyElse) {
  ASSERT_EQ(contexts_.Add("web", Example("web")), absl::OkStatus());
  ASSERT_EQ(contexts_.Use("web"), absl::OkStatus());
  EXPECT_EQ(ModeOf(path_), 0700u);
  EXPECT_EQ(ModeOf(path_ + "/web.zctl"), 0600u);
  EXPECT_EQ(ModeOf(path_ + "/current"), 0600u);
}

TEST_F(ContextsTest, UsesOnlyWhatIsThere) {
  ASSERT_EQ(contexts_.Add("web", Example("web")), absl::OkStatus());
  ASSERT_EQ(contexts_.Use("web"), absl::OkStatus());
  EXPECT_EQ(*contexts_.Current(), "web");
  const absl::Status missing = contexts_.Use("wbe");
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("no context 'wbe'; there are: local, controller, web"));
  EXPECT_EQ(*contexts_.Current(), "web");
  ASSERT_EQ(contexts_.Use("local"), absl::OkStatus());
  EXPECT_EQ(*contexts_.Current(), "local");
}

TEST_F(ContextsTest, WhatIsRemovedIsNotInUse) {
  ASSERT_EQ(contexts_.Add("web", Example("web")), absl::OkStatus());
  ASSERT_EQ(contexts_.Use("web"), absl::OkStatus());
  ASSERT_EQ(contexts_.Remove("web"), absl::OkStatus());
  EXPECT_EQ(*contexts_.Current(), "local");
  EXPECT_EQ(contexts_.Remove("web").code(), absl::StatusCode::kNotFound);
}

TEST_F(ContextsTest, ANameIsNoPath) {
  for (const char* name : {"", "../web", "a/b", ".web", "-o", "a\nb", "local"}) {
    EXPECT_EQ(contexts_.Add(name, Example("x")).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_FALSE(contexts_.Get(name).ok()) << name;
    EXPECT_FALSE(contexts_.Remove(name).ok()) << name;
  }
}

TEST_F(ContextsTest, AFileThatIsBrokenIsNamed) {
  ASSERT_EQ(contexts_.Add("web", Example("web")), absl::OkStatus());
  std::ofstream(path_ + "/web.zctl") << "pair: main\n";
  EXPECT_THAT(std::string(contexts_.Get("web").status().message()),
              HasSubstr(path_ + "/web.zctl:1: "));
}

TEST_F(ContextsTest, AreWhereTheUserKeepsSuch) {
  setenv("XDG_CONFIG_HOME", directory_.path().c_str(), 1);
  ASSERT_EQ(Contexts::OfUser().Add("web", Example("web")), absl::OkStatus());
  EXPECT_TRUE(Contexts(directory_.path() + "/zcluster").Get("web").ok());
  unsetenv("XDG_CONFIG_HOME");
  setenv("HOME", directory_.path().c_str(), 1);
  ASSERT_EQ(Contexts::OfUser().Add("db", Example("db")), absl::OkStatus());
  EXPECT_TRUE(Contexts(directory_.path() + "/.config/zcluster").Get("db").ok());
  unsetenv("HOME");
  EXPECT_EQ(*Contexts::OfUser().Current(), "local");
  EXPECT_FALSE(Contexts::OfUser().Add("x", Example("x")).ok());
}

}  // namespace
}  // namespace zcluster::ctl
