// SPDX-License-Identifier: Apache-2.0
#include "agent/store/database.h"

#include <sys/stat.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::store {
namespace {

// Grows when a reader of the old layout would misread the new one.
constexpr int kVersion = 1;

constexpr absl::string_view kHighestTerm = "highest_term";
constexpr absl::string_view kOwnTerm = "own_term";
constexpr absl::string_view kMaintenance = "maintenance";

int CollectRow(void* into, int, char** values, char**) {
  static_cast<std::vector<std::pair<std::string, std::string>>*>(into)->emplace_back(values[0],
                                                                                     values[1]);
  return 0;
}

// Terms are unsigned, SQLite's integers are signed: kept as text.
absl::Status ReadNumber(absl::string_view key, const std::string& text, uint64_t& value) {
  if (absl::SimpleAtoi(text, &value)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(key, " is '", text, "', not a number"));
}

}  // namespace

absl::Status Database::Failure() const {
  return absl::InternalError(absl::StrCat(path_, ": ", sqlite3_errmsg(database_.get())));
}

absl::Status Database::Execute(const char* sql) {
  return sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : Failure();
}

absl::StatusOr<Database> Database::Open(const std::string& path) {
  const mode_t old_mask = ::umask(0077);  // SQLite makes the file, and its journal beside it
  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  Database database(path, std::unique_ptr<sqlite3, Close>(raw));
  absl::Status ready =
      opened == SQLITE_OK
          ? database.Execute(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=2000;")
          : database.Failure();
  ::umask(old_mask);
  ZC_RETURN_IF_ERROR(ready);
  std::vector<std::pair<std::string, std::string>> version;
  if (sqlite3_exec(raw, "SELECT user_version, user_version FROM pragma_user_version", CollectRow,
                   &version, nullptr) != SQLITE_OK) {
    return database.Failure();
  }
  int found = 0;
  if (version.size() != 1 || !absl::SimpleAtoi(version[0].first, &found) || found > kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": was written by a newer zagent (layout ", found, ", this one knows ",
                     kVersion, "); run that version"));
  }
  ZC_RETURN_IF_ERROR(
      database.Execute("CREATE TABLE IF NOT EXISTS durable(key TEXT PRIMARY KEY, value TEXT NOT "
                       "NULL) STRICT; PRAGMA user_version=1;"));
  return database;
}

absl::StatusOr<core::Durable> Database::Read() {
  std::vector<std::pair<std::string, std::string>> rows;
  if (sqlite3_exec(database_.get(), "SELECT key, value FROM durable", CollectRow, &rows, nullptr) !=
      SQLITE_OK)
    return Failure();
  core::Durable durable;
  for (const auto& [key, value] : rows) {
    uint64_t number = 0;
    ZC_RETURN_IF_ERROR(Annotate(ReadNumber(key, value, number), path_));
    if (key == kHighestTerm) durable.highest_term.value = number;
    if (key == kOwnTerm) durable.own_term.value = number;
    if (key == kMaintenance) durable.maintenance = number != 0;
  }
  return durable;
}

absl::Status Database::Write(const core::Durable& durable) {
  const std::string sql =
      absl::StrCat("BEGIN IMMEDIATE; REPLACE INTO durable VALUES('", kHighestTerm, "','",
                   durable.highest_term.value, "'),('", kOwnTerm, "','", durable.own_term.value,
                   "'),('", kMaintenance, "','", durable.maintenance ? 1 : 0, "'); COMMIT;");
  const absl::Status status = Execute(sql.c_str());
  if (!status.ok()) Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace zcluster::store
