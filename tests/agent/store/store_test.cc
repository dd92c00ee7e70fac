// SPDX-License-Identifier: Apache-2.0
#include "agent/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "absl/synchronization/mutex.h"

namespace zcluster::store {
namespace {

class Sink : public EventSink {
 public:
  void Report(core::Event event) override {
    absl::MutexLock lock(&mutex_);
    if (std::holds_alternative<core::Persisted>(event)) ++persisted_;
    if (const auto* reported = std::get_if<core::ComponentReported>(&event))
      problem_ = reported->problem;
  }
  bool WaitForPersisted(int count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return persisted_ >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  }
  bool WaitForProblem(bool wanted) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return problem_.empty() != wanted; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  }
  int persisted() {
    absl::MutexLock lock(&mutex_);
    return persisted_;
  }

 private:
  absl::Mutex mutex_;
  int persisted_ = 0;
  std::string problem_;
};

core::Durable Terms(uint64_t term) {
  return {.highest_term = {term}, .own_term = {term}, .maintenance = false};
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string pattern = testing::TempDir() + "zc-store-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ + "/state.db";
  }
  ~StoreTest() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
  std::string path_;
  Sink sink_;
};

TEST_F(StoreTest, HoldsNothingAtFirst) {
  auto store = Store::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->durable(), core::Durable{});
}

TEST_F(StoreTest, RemembersWhatWasPersistedAndSaysSoOnceEach) {
  const core::Durable last{.highest_term = {~uint64_t{0}},
                           .own_term = {7},
                           .maintenance = true,
                           .maintenance_reason = "new disk, caf\xc3\xa9",
                           .maintenance_since = absl::FromUnixNanos(1'700'000'000'123'456'789),
                           .maintenance_until = absl::FromUnixNanos(1'700'007'200'123'456'789),
                           .freeze = {5, true, "switch upgrade"},
                           .synchronised = absl::FromUnixNanos(1'700'000'100'123'456'789)};
  {
    auto store = Store::Open(path_);
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Start(sink_).ok());
    for (uint64_t term = 1; term <= 50; ++term) {
      (*store)->Perform(core::Persist{Terms(term)});
    }
    (*store)->Perform(core::Persist{last});
    EXPECT_TRUE(sink_.WaitForPersisted(51));
    (*store)->Stop();
  }
  EXPECT_EQ(sink_.persisted(), 51);
  auto again = Store::Open(path_);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->durable(), last);
}

// As the first layout was written, by programs that knew no more.
TEST_F(StoreTest, ReadsAFileFromBeforeMaintenanceHadWords) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  sqlite3_exec(
      database,
      "CREATE TABLE durable(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
      "INSERT INTO durable VALUES('highest_term','8'),('own_term','7'),('maintenance','1');"
      "PRAGMA user_version=1",
      nullptr, nullptr, nullptr);
  sqlite3_close(database);
  const auto store = Store::Open(path_);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->durable(),
            (core::Durable{.highest_term = {8}, .own_term = {7}, .maintenance = true}));
}

TEST_F(StoreTest, NamesATimeThatIsNone) {
  ASSERT_TRUE(Store::Create(path_, Terms(1)).ok());
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  sqlite3_exec(database, "UPDATE durable SET value='soon' WHERE key='maintenance_until'", nullptr,
               nullptr, nullptr);
  sqlite3_close(database);
  const auto store = Store::Open(path_);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(store.status().message()),
              testing::HasSubstr("maintenance_until is 'soon', not a time"));
}

TEST_F(StoreTest, KeepsItsFileFromOthers) {
  ASSERT_TRUE(Store::Open(path_).ok());
  struct stat info;
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(StoreTest, RefusesTheFileOfANewerProgram) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  sqlite3_exec(database, "PRAGMA user_version=9", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  const auto store = Store::Open(path_);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(store.status().message()), testing::HasSubstr("newer zagent"));
}

TEST_F(StoreTest, NamesAPathThatCannotBeOpened) {
  const auto store = Store::Open(directory_ + "/missing/state.db");
  EXPECT_THAT(std::string(store.status().message()), testing::HasSubstr("/missing/state.db"));
}

TEST_F(StoreTest, IsMadeWithWhatANodeBeginsWith) {
  const core::Durable first = Terms(1);
  const absl::Status made = Store::Create(path_, first);
  ASSERT_TRUE(made.ok()) << made;
  struct stat info;
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_))
    ++files;
  EXPECT_EQ(files, 1) << "a draft, or its journal, is left";
  EXPECT_EQ((*Store::Open(path_))->durable(), first);
}

TEST_F(StoreTest, IsNeverMadeOverAnother) {
  ASSERT_TRUE(Store::Create(path_, Terms(7)).ok());
  const absl::Status again = Store::Create(path_, Terms(1));
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(again.message()), testing::HasSubstr(path_));
  EXPECT_EQ((*Store::Open(path_))->durable(), Terms(7));
}

TEST_F(StoreTest, IsMadeThoughAnotherDiedAtIt) {
  ASSERT_TRUE(Store::Create(path_ + ".new", Terms(9)).ok());
  ASSERT_TRUE(Store::Create(path_, Terms(1)).ok());
  EXPECT_EQ((*Store::Open(path_))->durable(), Terms(1));
}

TEST_F(StoreTest, NamesAPathWhereNoneCanBeMade) {
  EXPECT_THAT(std::string(Store::Create(directory_ + "/missing/state.db", Terms(1)).message()),
              testing::HasSubstr("/missing/state.db"));
}

// A writer that holds the lock stands for a disk that refuses: the problem shows, and nothing is
// acknowledged until it ends.
TEST_F(StoreTest, ReportsACommitThatFailsAndTriesAgain) {
  auto store = Store::Open(path_);
  ASSERT_TRUE(store.ok());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  ASSERT_TRUE((*store)->Start(sink_).ok());
  (*store)->Perform(core::Persist{Terms(3)});
  EXPECT_TRUE(sink_.WaitForProblem(true));
  EXPECT_EQ(sink_.persisted(), 0);
  sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr);
  sqlite3_close(other);
  EXPECT_TRUE(sink_.WaitForPersisted(1));
  EXPECT_TRUE(sink_.WaitForProblem(false));
  (*store)->Stop();
}

}  // namespace
}  // namespace zcluster::store
