// SPDX-License-Identifier: Apache-2.0
#include "common/sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "absl/synchronization/notification.h"
#include "common/file.h"

namespace zcluster::sqlite {
namespace {

using testing::HasSubstr;

constexpr int32_t kOurs = 0x7a637473;

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() {
    std::string pattern = testing::TempDir() + "zc-sqlite-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    options_ = {.path = directory_ + "/a.db",
                .program = "zthing",
                .application_id = kOurs,
                .layouts = {"CREATE TABLE numbers(n INTEGER PRIMARY KEY, word TEXT) STRICT"}};
  }
  ~SqliteTest() override { std::filesystem::remove_all(directory_); }

  Database Open() {
    auto database = Database::Open(options_);
    EXPECT_TRUE(database.ok()) << database.status();
    return *std::move(database);
  }
  std::string Content() const { return ReadFile(options_.path).value_or("none"); }

  std::string directory_;
  Database::Options options_;
};

int64_t Count(Database& database, const char* sql = "SELECT count(*) FROM numbers") {
  auto statement = database.Prepare(sql);
  EXPECT_TRUE(statement.ok()) << statement.status();
  EXPECT_TRUE(*statement->Step());
  return statement->Int(0);
}

unsigned Mode(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST_F(SqliteTest, KeepsTheFileAndItsLogFromOthers) {
  Database database = Open();
  EXPECT_EQ(Mode(options_.path), 0600U);
  EXPECT_EQ(Mode(options_.path + "-wal"), 0600U);
}

TEST_F(SqliteTest, WaitsForTheDiskAtEachCommit) {
  Database database = Open();
  EXPECT_EQ(Count(database, "PRAGMA synchronous"), 2);
  auto mode = database.Prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode.ok());
  ASSERT_TRUE(*mode->Step());
  EXPECT_EQ(mode->Text(0), "wal");
}

TEST_F(SqliteTest, GivesBackWhatItWasGiven) {
  Database database = Open();
  auto put = database.Prepare("INSERT INTO numbers VALUES(?, ?)");
  ASSERT_TRUE(put.ok()) << put.status();
  const std::string odd("a\0b\xff'", 5);
  ASSERT_TRUE(put->Bind(1, -7).BindText(2, odd).Run().ok());
  ASSERT_TRUE(put->Bind(1, 8).BindText(2, "").Run().ok());
  auto get = database.Prepare("SELECT n, word, CAST(word AS BLOB), NULL FROM numbers ORDER BY n");
  ASSERT_TRUE(get.ok());
  ASSERT_TRUE(*get->Step());
  EXPECT_EQ(get->Int(0), -7);
  EXPECT_EQ(get->Text(1), odd);
  EXPECT_EQ(get->Bytes(2), odd);
  ASSERT_TRUE(*get->Step());
  EXPECT_EQ(get->Text(1), "");
  EXPECT_EQ(get->Text(3), "");
  EXPECT_FALSE(*get->Step());
  EXPECT_TRUE(*get->Step()) << "from the beginning again";
}

TEST_F(SqliteTest, SaysWhichValueCouldNotBeBound) {
  Database database = Open();
  auto put = database.Prepare("INSERT INTO numbers VALUES(?, NULL)");
  ASSERT_TRUE(put.ok());
  EXPECT_EQ(put->Bind(1, 1).Bind(2, 2).Run().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(Count(database), 0);
}

TEST_F(SqliteTest, RollsBackWhatWasNotCommitted) {
  Database database = Open();
  {
    auto transaction = Transaction::ToWrite(database);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(database.Execute("INSERT INTO numbers VALUES(1, '')").ok());
  }
  EXPECT_EQ(Count(database), 0);
  {
    auto transaction = Transaction::ToWrite(database);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(database.Execute("INSERT INTO numbers VALUES(1, '')").ok());
    EXPECT_TRUE(transaction->Commit().ok());
  }
  EXPECT_EQ(Count(database), 1);
}

TEST_F(SqliteTest, ReadsTheSameWhileOthersWrite) {
  Database writer = Open();
  Database reader = Open();
  auto view = Transaction::ToRead(reader);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(Count(reader), 0);
  ASSERT_TRUE(writer.Execute("INSERT INTO numbers VALUES(1, '')").ok());
  EXPECT_EQ(Count(reader), 0);
  ASSERT_TRUE(view->Commit().ok());
  EXPECT_EQ(Count(reader), 1);
}

TEST_F(SqliteTest, SaysThatAnotherHoldsTheFile) {
  Database database = Open();
  Database other = Open();
  auto transaction = Transaction::ToWrite(database);
  ASSERT_TRUE(transaction.ok());
  const absl::Status refused = Transaction::ToWrite(other).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("another program holds it"));
}

TEST_F(SqliteTest, BringsAnOldFileToTheNewestLayout) {
  { ASSERT_TRUE(Open().Execute("INSERT INTO numbers VALUES(1, 'one')").ok()); }
  options_.layouts.push_back("ALTER TABLE numbers ADD COLUMN more INTEGER NOT NULL DEFAULT 5");
  {
    Database database = Open();
    EXPECT_EQ(Count(database, "SELECT more FROM numbers"), 5);
    EXPECT_EQ(Count(database, "PRAGMA user_version"), 2);
  }
  Database again = Open();
  EXPECT_EQ(Count(again, "SELECT more FROM numbers"), 5);
}

TEST_F(SqliteTest, LeavesAnOldFileAsItWasIfItsLayoutCannotBeChanged) {
  { ASSERT_TRUE(Open().Execute("INSERT INTO numbers VALUES(1, 'one')").ok()); }
  options_.layouts.push_back("ALTER TABLE numbers ADD COLUMN more INTEGER; no such words");
  EXPECT_FALSE(Database::Open(options_).ok());
  options_.layouts.pop_back();
  Database database = Open();
  EXPECT_EQ(Count(database, "SELECT count(*) FROM pragma_table_info('numbers')"), 2);
}

// The log too: a crashed newer program has left what it wrote last in it.
TEST_F(SqliteTest, LeavesTheFileOfANewerProgramAlone) {
  { Open(); }
  Database newer = Open();
  ASSERT_TRUE(newer.Execute("PRAGMA user_version=3; INSERT INTO numbers VALUES(1, 'new')").ok());
  const std::string copy = directory_ + "/copy.db";
  for (const char* suffix : {"", "-wal"}) {
    std::filesystem::copy_file(options_.path + suffix, copy + suffix);
  }
  options_.path = copy;
  const std::string file = Content();
  const std::string log = *ReadFile(copy + "-wal");
  const absl::Status status = Database::Open(options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(HasSubstr(copy), HasSubstr("newer zthing"),
                             HasSubstr("layout 3, this one knows 1")));
  EXPECT_EQ(Content(), file);
  EXPECT_EQ(*ReadFile(copy + "-wal"), log);
}

TEST_F(SqliteTest, LeavesAnotherProgramsFileAlone) {
  Database::Options theirs = options_;
  theirs.application_id = 77;
  { ASSERT_TRUE(Database::Open(theirs).ok()); }
  const std::string before = Content();
  const absl::Status status = Database::Open(options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("not a database of zthing"));
  EXPECT_EQ(Content(), before);
}

TEST_F(SqliteTest, LeavesAFileThatIsNoDatabaseAlone) {
  const std::string text(4096, 'x');
  ASSERT_TRUE(WriteFileAtomically(options_.path, text, 0600).ok());
  const absl::Status status = Database::Open(options_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a.db: is no database"));
  EXPECT_EQ(Content(), text);
}

TEST_F(SqliteTest, TakesAnEmptyFileThatACrashLeft) {
  ASSERT_TRUE(WriteFileAtomically(options_.path, "", 0600).ok());
  Database database = Open();
  EXPECT_EQ(Count(database), 0);
}

TEST_F(SqliteTest, NamesAPathThatCannotBeMade) {
  options_.path = directory_ + "/missing/a.db";
  EXPECT_THAT(std::string(Database::Open(options_).status().message()),
              HasSubstr("/missing/a.db: No such file"));
  options_.path = directory_;
  EXPECT_THAT(std::string(Database::Open(options_).status().message()), HasSubstr(directory_));
}

TEST_F(SqliteTest, SaysThatAFileIsDamaged) {
  {
    Database database = Open();
    ASSERT_TRUE(database
                    .Execute("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE "
                             "n<2000) INSERT INTO numbers SELECT n, hex(zeroblob(40)) FROM c")
                    .ok());
  }
  std::string content = Content();
  for (size_t i = 4096; i < content.size(); ++i) content[i] = '\x5a';
  ASSERT_TRUE(WriteFileAtomically(options_.path, content, 0600).ok());
  Database database = Open();
  auto statement = database.Prepare("SELECT sum(length(word)) FROM numbers");
  ASSERT_TRUE(statement.ok());
  const absl::Status status = statement->Step().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("a.db: is damaged"));
}

TEST_F(SqliteTest, CanBeInterrupted) {
  Database database = Open();
  auto endless = database.Prepare(
      "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c) SELECT n FROM c WHERE n < 0");
  ASSERT_TRUE(endless.ok());
  absl::Notification over;
  // An interruption before the step began is none: until it is over.
  std::thread other([&] {
    while (!over.WaitForNotificationWithTimeout(absl::Milliseconds(1))) database.Interrupt();
  });
  EXPECT_EQ(endless->Step().status().code(), absl::StatusCode::kCancelled);
  over.Notify();
  other.join();
}

TEST_F(SqliteTest, StaysWhatItWasWhenItIsMoved) {
  Database first = Open();
  auto put = first.Prepare("INSERT INTO numbers VALUES(?, 1)");
  ASSERT_TRUE(put.ok());
  Database second = std::move(first);
  Statement moved = *std::move(put);
  EXPECT_TRUE(moved.Bind(1, 1).Run().ok());
  const absl::Status twice = moved.Run();
  EXPECT_THAT(std::string(twice.message()), HasSubstr(second.path()));
}

}  // namespace
}  // namespace zcluster::sqlite
