// SPDX-License-Identifier: Apache-2.0
#include "agent/events/file.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/agent/events/scratch.h"

namespace zcluster::events {
namespace {

using testing::HasSubstr;

class FileTest : public Scratch {
 protected:
  std::unique_ptr<File> Open(uint64_t max_events = File::kMaxEvents) {
    absl::StatusOr<std::unique_ptr<File>> file = File::Open(path_, "", 0, max_events);
    EXPECT_TRUE(file.ok()) << file.status();
    return *std::move(file);
  }
  void Sql(const char* sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  static std::vector<uint64_t> Numbers(const v1::EventBatch& batch) {
    std::vector<uint64_t> numbers;
    for (const v1::Event& event : batch.events()) numbers.push_back(event.number());
    return numbers;
  }
};

TEST_F(FileTest, IsEmptyAtFirstAndForRootAlone) {
  const auto file = Open();
  EXPECT_EQ(file->span(), Span{});
  EXPECT_EQ(file->id().size(), 32U);
  EXPECT_EQ(file->Read(0, 10)->events_size(), 0);
  struct stat info;
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(FileTest, GoesOnWhereItWas) {
  std::string id;
  {
    const auto file = Open();
    id = file->id();
    ASSERT_TRUE(file->Append(Events(1, 3)).ok());
    ASSERT_TRUE(file->Append(Events(4, 1)).ok());
  }
  const auto file = Open();
  EXPECT_EQ(file->id(), id);
  EXPECT_EQ(file->span(), (Span{1, 4}));
  ASSERT_TRUE(file->Append(Events(5, 1)).ok());
  const v1::EventBatch all = *file->Read(0, 100);
  EXPECT_THAT(Numbers(all), testing::ElementsAre(1, 2, 3, 4, 5));
  for (const v1::Event& event : all.events())
    EXPECT_EQ(event.name(), absl::StrCat("e", event.number()));
}

TEST_F(FileTest, IsReadInPages) {
  const auto file = Open();
  ASSERT_TRUE(file->Append(Events(1, 600)).ok());
  EXPECT_THAT(Numbers(*file->Read(100, 3)), testing::ElementsAre(101, 102, 103));
  EXPECT_EQ(file->Read(0, 100000)->events_size(), 256);
  EXPECT_EQ(file->Read(512, 100000)->events_size(), 88);
  EXPECT_EQ(file->Read(600, 10)->events_size(), 0);
  EXPECT_EQ(file->Read(~uint64_t{0}, 10)->events_size(), 0);
  EXPECT_EQ(file->Read(0, 0)->events_size(), 0);
  v1::Event longest;
  for (int i = 0; i < 32; ++i) longest.add_fields()->set_value(std::string(1024, 'v'));
  ASSERT_TRUE(file->Append(std::vector<v1::Event>(10, longest)).ok());
  const v1::EventBatch page = *file->Read(600, 256);
  EXPECT_EQ(page.events_size(), 3);
  EXPECT_LT(page.ByteSizeLong(), 256U << 10);
  EXPECT_EQ(file->Read(603, 256)->events(0).number(), 604U) << "and goes on from there";
}

TEST_F(FileTest, TheOldestGiveWay) {
  const auto file = Open(/*max_events=*/100);
  ASSERT_TRUE(file->Append(Events(1, 100)).ok());
  EXPECT_EQ(file->span(), (Span{1, 100}));
  ASSERT_TRUE(file->Append(Events(101, 3)).ok());
  EXPECT_EQ(file->span(), (Span{4, 103}));
  EXPECT_THAT(Numbers(*file->Read(0, 2)), testing::ElementsAre(4, 5));
}

TEST_F(FileTest, ManyGiveWayInSlices) {
  ASSERT_TRUE(Open()->Append(Events(1, 5000)).ok());
  const auto file = Open(/*max_events=*/100);
  ASSERT_TRUE(file->Append(Events(5001, 1)).ok());
  EXPECT_EQ(file->span(), (Span{2001, 5001}));
  ASSERT_TRUE(file->Append(Events(5002, 1)).ok());
  EXPECT_EQ(file->span(), (Span{4001, 5002}));
  ASSERT_TRUE(file->Append(Events(5003, 1)).ok());
  EXPECT_EQ(file->span(), (Span{4904, 5003}));
  EXPECT_EQ(file->Read(0, 1)->events(0).number(), 4904U);
}

TEST_F(FileTest, ItsSizeStaysWhereItIs) {
  const auto file = Open(/*max_events=*/1000);
  uint64_t number = 1;
  const auto fill = [&] {
    for (int i = 0; i < 20; ++i, number += 100) ASSERT_TRUE(file->Append(Events(number, 100)).ok());
  };
  fill();
  const auto before = std::filesystem::file_size(path_);
  for (int i = 0; i < 5; ++i) fill();
  EXPECT_LE(std::filesystem::file_size(path_), before + 64 * 1024);
}

TEST_F(FileTest, OneThatReplacesAnotherGoesOnWithItsNameAndNumbers) {
  {
    auto file = File::Open(path_, "0123456789abcdef0123456789abcdef", 41);
    ASSERT_TRUE(file.ok());
    EXPECT_EQ((*file)->span(), Span{});
    EXPECT_EQ((*file)->newest(), 41U);
  }
  const auto file = Open();
  EXPECT_EQ(file->id(), "0123456789abcdef0123456789abcdef");
  ASSERT_TRUE(file->Append(Events(42, 2)).ok());
  EXPECT_EQ(file->span(), (Span{42, 43}));
  EXPECT_THAT(Numbers(*file->Read(0, 10)), testing::ElementsAre(42, 43));
}

TEST_F(FileTest, IsNotOpenedIfANewerProgramWroteIt) {
  Open();
  Sql("PRAGMA user_version=2");
  const absl::Status status = File::Open(path_, "", 0).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer zagent"));
}

TEST_F(FileTest, IsNotOpenedIfItIsAnothers) {
  Sql("CREATE TABLE t(x); PRAGMA application_id=77");
  EXPECT_TRUE(absl::IsFailedPrecondition(File::Open(path_, "", 0).status()));
}

TEST_F(FileTest, SaysThatItIsDamaged) {
  std::ofstream(path_) << "this is no database, whatever it was before";
  EXPECT_TRUE(absl::IsDataLoss(File::Open(path_, "", 0).status()));
}

TEST_F(FileTest, FindsAnEventThatIsMissingOrUnreadable) {
  ASSERT_TRUE(Open()->Append(Events(1, 9)).ok());
  Sql("DELETE FROM event WHERE number=5; UPDATE event SET body=x'ffff' WHERE number=8");
  const auto file = Open();
  EXPECT_EQ(file->Read(0, 4)->events_size(), 4);
  absl::Status status = file->Read(0, 10).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("event 5 is missing"));
  status = file->Read(5, 10).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("event 8 cannot be read"));
}

TEST_F(FileTest, IsSetAsideUnderThreeNamesAtMost) {
  for (int i = 1; i <= 5; ++i) {
    std::ofstream(path_) << i;
    std::ofstream(path_ + "-shm") << i;
    if (i != 5) std::ofstream(path_ + "-wal") << i;
    const absl::StatusOr<std::string> name = SetAside(path_);
    ASSERT_TRUE(name.ok());
    EXPECT_EQ(*name, absl::StrCat(path_, ".broken-", std::min(i, 3)));
  }
  EXPECT_THAT(Files(), testing::UnorderedElementsAre("events.db.broken-1", "events.db.broken-1-wal",
                                                     "events.db.broken-2", "events.db.broken-2-wal",
                                                     "events.db.broken-3"));
}

}  // namespace
}  // namespace zcluster::events
