// SPDX-License-Identifier: Apache-2.0
#include "common/access/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "common/file.h"
#include "tests/support/certificates.h"

namespace zcluster::access {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

v1::AuditEntry Entry(const std::string& what, const std::string& result = "OK") {
  v1::AuditEntry entry;
  entry.set_who("root");
  entry.set_from("local socket, pid 1");
  entry.set_what(what);
  entry.set_result(result);
  return entry;
}

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() { Open(); }

  void Open(uint64_t max_bytes = 1 << 20) {
    log_.reset();
    auto opened = AuditLog::Open({path_, max_bytes});
    ASSERT_TRUE(opened.ok()) << opened.status();
    log_ = *std::move(opened);
  }
  v1::AuditResponse Read(size_t limit) {
    v1::AuditResponse read;
    absl::Notification done;
    log_->Newest(limit, [&](absl::StatusOr<v1::AuditResponse> response) {
      EXPECT_TRUE(response.ok()) << response.status();
      if (response.ok()) read = *std::move(response);
      done.Notify();
    });
    done.WaitForNotification();
    return read;
  }
  std::vector<std::string> Whats(size_t limit) {
    std::vector<std::string> whats;
    const v1::AuditResponse read = Read(limit);
    for (const v1::AuditEntry& entry : read.entries()) whats.push_back(entry.what());
    return whats;
  }

  test::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/audit.log";
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, ShowsTheNewestFirst) {
  for (const char* what : {"one", "two", "three"}) log_->Append(Entry(what));
  EXPECT_THAT(Whats(2), ElementsAre("three", "two"));
  EXPECT_THAT(Whats(10), ElementsAre("three", "two", "one"));
}

TEST_F(AuditLogTest, KeepsTheWholeEntryAndItsTime) {
  const absl::Time before = absl::Now();
  log_->Append(Entry("ClusterService/Apply vip=1", "ABORTED: \"conflict\""));
  const v1::AuditEntry entry = Read(1).entries(0);
  EXPECT_EQ(entry.who(), "root");
  EXPECT_EQ(entry.from(), "local socket, pid 1");
  EXPECT_EQ(entry.what(), "ClusterService/Apply vip=1");
  EXPECT_EQ(entry.result(), "ABORTED: \"conflict\"");
  EXPECT_GE(absl::FromUnixSeconds(entry.at().seconds()), before - absl::Seconds(1));
  EXPECT_LE(absl::FromUnixSeconds(entry.at().seconds()), absl::Now());
}

TEST_F(AuditLogTest, SurvivesItsProcess) {
  log_->Append(Entry("before"));
  Open();
  log_->Append(Entry("after"));
  EXPECT_THAT(Whats(10), ElementsAre("after", "before"));
}

TEST_F(AuditLogTest, IsALineOfJsonAnEntryForOurUserAlone) {
  log_->Append(Entry("one"));
  ASSERT_EQ(Read(1).entries_size(), 1);
  struct stat info;
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  const std::string text = *ReadFile(path_);
  EXPECT_THAT(text, testing::StartsWith("{\"at\":\"20"));
  EXPECT_THAT(text,
              HasSubstr("\"who\":\"root\",\"from\":\"local socket, pid 1\",\"what\":\"one\""));
  EXPECT_TRUE(absl::EndsWith(text, "}\n"));
}

TEST_F(AuditLogTest, WhatACallerChoseStaysOneShortPrintableLine) {
  log_->Append(Entry("one\n{\"who\":\"root\"}\x1b[2J\xff", std::string(100'000, 'x')));
  log_->Append(Entry("two"));
  EXPECT_THAT(Whats(10), ElementsAre("two", "one\\x0a{\"who\":\"root\"}\\x1b[2J\\xff"));
  EXPECT_LT(Read(2).entries(1).result().size(), 1100u);
  const std::vector<std::string> lines = absl::StrSplit(*ReadFile(path_), '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 2u);
}

TEST_F(AuditLogTest, ALineThatThePowerCutIsPassedOver) {
  log_->Append(Entry("one"));
  log_.reset();
  std::ofstream(path_, std::ios::app) << "{\"at\":\"2026-";
  Open();
  log_->Append(Entry("two"));
  EXPECT_THAT(Whats(10), ElementsAre("two", "one"));
}

TEST_F(AuditLogTest, KeepsOneOlderFileAndStaysBounded) {
  Open(/*max_bytes=*/2000);
  for (int i = 0; i < 100; ++i) {
    log_->Append(Entry(absl::StrCat("call ", i)));
    ASSERT_FALSE(Whats(1).empty());  // on disk: each is a batch of its own
  }
  EXPECT_LE(std::filesystem::file_size(path_), 2000u);
  EXPECT_LE(std::filesystem::file_size(path_ + ".1"), 2000u);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".2"));
  const std::vector<std::string> whats = Whats(100);
  EXPECT_GT(whats.size(), 12u) << "of both files";
  for (size_t i = 0; i < whats.size(); ++i) EXPECT_EQ(whats[i], absl::StrCat("call ", 99 - i));
}

TEST_F(AuditLogTest, AnAnswerFitsInAMessage) {
  Open(/*max_bytes=*/8 << 20);
  for (int i = 0; i < 4000; ++i) log_->Append(Entry(std::string(1000, 'x')));
  EXPECT_LT(Read(10'000).ByteSizeLong(), size_t{4} << 20);
}

TEST_F(AuditLogTest, SaysWhichFileItCannotMake) {
  const auto opened = AuditLog::Open({directory_.path() + "/missing/audit.log"});
  EXPECT_THAT(std::string(opened.status().message()),
              HasSubstr("/missing/audit.log: open: No such"));
}

TEST_F(AuditLogTest, FollowsNoLink) {
  const std::string link = directory_.path() + "/link";
  std::filesystem::create_symlink(path_, link);
  EXPECT_FALSE(AuditLog::Open({link}).ok());
}

}  // namespace
}  // namespace zcluster::access
