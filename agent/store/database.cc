// SPDX-License-Identifier: Apache-2.0
#include "agent/store/database.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::store {
namespace {

// A file whose maker died after the table and before its layout's number has the table already.
constexpr char kLayout[] =
    "CREATE TABLE IF NOT EXISTS durable(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT";

// A program that knows only the first layout takes every value for a number, and would refuse the
// file as damaged: it shall say that a newer one wrote it.
constexpr char kLayoutWithWords[] =
    "INSERT OR IGNORE INTO durable VALUES('maintenance_reason', '')";

constexpr absl::string_view kHighestTerm = "highest_term";
constexpr absl::string_view kOwnTerm = "own_term";
constexpr absl::string_view kMaintenance = "maintenance";
constexpr absl::string_view kMaintenanceReason = "maintenance_reason";
constexpr absl::string_view kMaintenanceSince = "maintenance_since";
constexpr absl::string_view kMaintenanceUntil = "maintenance_until";
constexpr absl::string_view kSynchronised = "synchronised";
constexpr absl::string_view kFreeze = "freeze";
constexpr absl::string_view kFreezeVersion = "freeze_version";
constexpr absl::string_view kFreezeReason = "freeze_reason";

// Terms are unsigned, SQLite's integers are signed: kept as text.
absl::Status ReadNumber(absl::string_view key, const std::string& text, uint64_t& value) {
  if (absl::SimpleAtoi(text, &value)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(key, " is '", text, "', not a number"));
}

// Nanoseconds and "infinite-future" survive it.
std::string TimeText(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
}

absl::Status ReadTime(absl::string_view key, const std::string& text, absl::Time& value) {
  std::string why;
  if (absl::ParseTime(absl::RFC3339_full, text, &value, &why)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(key, " is '", text, "', not a time: ", why));
}

absl::Status ReadFlag(absl::string_view key, const std::string& text, bool& value) {
  uint64_t number = 0;
  ZC_RETURN_IF_ERROR(ReadNumber(key, text, number));
  value = number != 0;
  return absl::OkStatus();
}

absl::Status ReadRow(absl::string_view key, const std::string& text, core::Durable& durable) {
  if (key == kHighestTerm) return ReadNumber(key, text, durable.highest_term.value);
  if (key == kOwnTerm) return ReadNumber(key, text, durable.own_term.value);
  if (key == kMaintenanceReason) durable.maintenance_reason = text;
  if (key == kMaintenanceSince) return ReadTime(key, text, durable.maintenance_since);
  if (key == kMaintenanceUntil) return ReadTime(key, text, durable.maintenance_until);
  if (key == kMaintenance) return ReadFlag(key, text, durable.maintenance);
  if (key == kSynchronised) return ReadTime(key, text, durable.synchronised);
  if (key == kFreeze) return ReadFlag(key, text, durable.freeze.active);
  if (key == kFreezeVersion) return ReadNumber(key, text, durable.freeze.version);
  if (key == kFreezeReason) durable.freeze.reason = text;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Database> Database::Open(const std::string& path) {
  ZC_ASSIGN_OR_RETURN(
      sqlite::Database database,
      sqlite::Database::Open(
          {.path = path, .program = "zagent", .layouts = {kLayout, kLayoutWithWords}}));
  ZC_ASSIGN_OR_RETURN(sqlite::Statement put, database.Prepare("REPLACE INTO durable VALUES(?, ?)"));
  return Database(std::move(database), std::move(put));
}

absl::StatusOr<core::Durable> Database::Read() {
  ZC_ASSIGN_OR_RETURN(sqlite::Statement rows, database_.Prepare("SELECT key, value FROM durable"));
  core::Durable durable;
  while (true) {
    ZC_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return durable;
    ZC_RETURN_IF_ERROR(Annotate(ReadRow(rows.Text(0), rows.Text(1), durable), database_.path()));
  }
}

absl::Status Database::Write(const core::Durable& durable) {
  ZC_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::ToWrite(database_));
  const std::pair<absl::string_view, std::string> rows[] = {
      {kHighestTerm, absl::StrCat(durable.highest_term.value)},
      {kOwnTerm, absl::StrCat(durable.own_term.value)},
      {kMaintenance, durable.maintenance ? "1" : "0"},
      {kMaintenanceReason, durable.maintenance_reason},
      {kMaintenanceSince, TimeText(durable.maintenance_since)},
      {kMaintenanceUntil, TimeText(durable.maintenance_until)},
      {kSynchronised, TimeText(durable.synchronised)},
      {kFreeze, durable.freeze.active ? "1" : "0"},
      {kFreezeVersion, absl::StrCat(durable.freeze.version)},
      {kFreezeReason, durable.freeze.reason}};
  for (const auto& [key, value] : rows) {
    ZC_RETURN_IF_ERROR(put_.BindText(1, key).BindText(2, value).Run());
  }
  return transaction.Commit();
}

}  // namespace zcluster::store
