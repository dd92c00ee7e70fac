// SPDX-License-Identifier: Apache-2.0
#include "agent/events/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::events {
namespace {

// "zcEV": tells the journal from our other files.
constexpr int32_t kApplicationId = 0x7a634556;

// The one row of `journal` is the file's name, and the number before its first event.
constexpr char kLayout[] =
    "CREATE TABLE journal(id TEXT NOT NULL, base INTEGER NOT NULL) STRICT;"
    "CREATE TABLE event(number INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;";

// What every SQLite file that is not empty begins with.
constexpr absl::string_view kHeader = "SQLite format 3";

// SQLite says the same of a file that is another's and of one whose beginning is destroyed.
absl::Status CheckBeginning(const std::string& path) {
  // Before SQLite has it open: closing ours would end SQLite's locks.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return absl::OkStatus();  // SQLite will say why
  std::array<char, kHeader.size()> found{};
  const ssize_t size = ::read(fd.get(), found.data(), found.size());
  if (size <= 0 || absl::string_view(found.data(), static_cast<size_t>(size)) == kHeader) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(path, ": is no database; its beginning is destroyed"));
}

absl::Status Damaged(const sqlite::Database& database, uint64_t number, absl::string_view how) {
  return absl::DataLossError(
      absl::StrCat(database.path(), ": is damaged: event ", number, " ", how));
}

}  // namespace

File::File(sqlite::Database database, sqlite::Statement insert, sqlite::Statement remove,
           sqlite::Statement select, uint64_t max_events)
    : database_(std::move(database)),
      insert_(std::move(insert)),
      remove_(std::move(remove)),
      select_(std::move(select)),
      max_events_(max_events) {}

absl::StatusOr<std::unique_ptr<File>> File::Open(const std::string& path, std::string id,
                                                 uint64_t last, uint64_t max_events) {
  ZC_RETURN_IF_ERROR(CheckBeginning(path));
  ZC_ASSIGN_OR_RETURN(sqlite::Database database,
                      sqlite::Database::Open({.path = path,
                                              .program = "zagent",
                                              .application_id = kApplicationId,
                                              .layouts = {kLayout}}));
  ZC_ASSIGN_OR_RETURN(sqlite::Statement insert, database.Prepare("INSERT INTO event VALUES(?, ?)"));
  ZC_ASSIGN_OR_RETURN(sqlite::Statement remove,
                      database.Prepare("DELETE FROM event WHERE number <= ?"));
  ZC_ASSIGN_OR_RETURN(
      sqlite::Statement select,
      database.Prepare("SELECT number, body FROM event WHERE number > ? ORDER BY number LIMIT ?"));
  std::unique_ptr<File> file(new File(std::move(database), std::move(insert), std::move(remove),
                                      std::move(select), max_events));
  ZC_RETURN_IF_ERROR(file->Load(std::move(id), last));
  return file;
}

absl::Status File::Load(std::string id, uint64_t last) {
  ZC_ASSIGN_OR_RETURN(sqlite::Statement name, database_.Prepare("SELECT id, base FROM journal"));
  ZC_ASSIGN_OR_RETURN(const bool named, name.Step());
  if (named) {
    id_ = name.Text(0);
    newest_ = static_cast<uint64_t>(name.Int(1));
    name.Reset();
  } else {
    ZC_ASSIGN_OR_RETURN(sqlite::Statement insert,
                        database_.Prepare("INSERT INTO journal VALUES(?, ?)"));
    id_ = id.empty() ? MakeId() : std::move(id);
    newest_ = last;
    ZC_RETURN_IF_ERROR(insert.BindText(1, id_).Bind(2, static_cast<int64_t>(last)).Run());
  }
  ZC_ASSIGN_OR_RETURN(sqlite::Statement ends,
                      database_.Prepare("SELECT min(number), max(number) FROM event"));
  ZC_ASSIGN_OR_RETURN(const bool row, ends.Step());
  if (row && ends.Int(1) > 0) {
    span_ = {static_cast<uint64_t>(ends.Int(0)), static_cast<uint64_t>(ends.Int(1))};
    newest_ = span_.last;
  }
  ends.Reset();
  return absl::OkStatus();
}

absl::Status File::Append(const std::vector<v1::Event>& events) {
  if (events.empty()) return absl::OkStatus();
  ZC_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::ToWrite(database_));
  uint64_t last = newest_;
  for (const v1::Event& event : events) {
    insert_.Bind(1, static_cast<int64_t>(++last)).BindBlob(2, event.SerializeAsString());
    ZC_RETURN_IF_ERROR(insert_.Run());
  }
  uint64_t first = span_.first == 0 ? newest_ + 1 : span_.first;
  if (last - first >= max_events_) {
    const uint64_t end = std::min(last - max_events_, first + kMaxDeleted - 1);
    ZC_RETURN_IF_ERROR(remove_.Bind(1, static_cast<int64_t>(end)).Run());
    first = end + 1;
  }
  ZC_RETURN_IF_ERROR(transaction.Commit());
  newest_ = last;
  span_ = {first, last};
  return absl::OkStatus();
}

absl::StatusOr<v1::EventBatch> File::Read(uint64_t after, size_t limit) {
  v1::EventBatch batch;
  if (after >= span_.last) return batch;
  uint64_t expected = std::max(after + 1, span_.first);
  size_t bytes = 0;
  select_.Bind(1, static_cast<int64_t>(after));
  select_.Bind(2, static_cast<int64_t>(std::min(limit, kMaxBatchEvents)));
  while (true) {
    ZC_ASSIGN_OR_RETURN(const bool row, select_.Step());
    if (!row) return batch;
    v1::Event event;
    const auto number = static_cast<uint64_t>(select_.Int(0));
    const bool whole = event.ParseFromString(std::string(select_.Bytes(1)));
    if (number != expected || !whole) {
      select_.Reset();
      return Damaged(database_, expected, whole ? "is missing" : "cannot be read");
    }
    event.set_number(number);
    ++expected;
    if (!AddIfItFits(std::move(event), limit, bytes, batch)) {
      select_.Reset();
      return batch;
    }
  }
}

absl::StatusOr<std::string> SetAside(const std::string& path) {
  std::string name;
  for (int n = 1; n <= kMaxSetAside; ++n) {
    name = absl::StrCat(path, ".broken-", n);
    if (::access(name.c_str(), F_OK) != 0) break;
  }
  if (::rename(path.c_str(), name.c_str()) != 0) return ErrnoStatus(path);
  if (::rename((path + "-wal").c_str(), (name + "-wal").c_str()) != 0 && errno == ENOENT) {
    ::unlink((name + "-wal").c_str());  // of the one that was replaced
  }
  ::unlink((path + "-shm").c_str());
  return name;
}

}  // namespace zcluster::events
