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

constexpr absl::string_view kHighestTerm = "highest_term";
constexpr absl::string_view kOwnTerm = "own_term";
constexpr absl::string_view kMaintenance = "maintenance";

// Terms are unsigned, SQLite's integers are signed: kept as text.
absl::Status ReadNumber(absl::string_view key, const std::string& text, uint64_t& value) {
  if (absl::SimpleAtoi(text, &value)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(key, " is '", text, "', not a number"));
}

}  // namespace

absl::StatusOr<Database> Database::Open(const std::string& path) {
  ZC_ASSIGN_OR_RETURN(
      sqlite::Database database,
      sqlite::Database::Open({.path = path, .program = "zagent", .layouts = {kLayout}}));
  ZC_ASSIGN_OR_RETURN(sqlite::Statement put, database.Prepare("REPLACE INTO durable VALUES(?, ?)"));
  return Database(std::move(database), std::move(put));
}

absl::StatusOr<core::Durable> Database::Read() {
  ZC_ASSIGN_OR_RETURN(sqlite::Statement rows, database_.Prepare("SELECT key, value FROM durable"));
  core::Durable durable;
  while (true) {
    ZC_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return durable;
    const std::string key = rows.Text(0);
    uint64_t number = 0;
    ZC_RETURN_IF_ERROR(Annotate(ReadNumber(key, rows.Text(1), number), database_.path()));
    if (key == kHighestTerm) durable.highest_term.value = number;
    if (key == kOwnTerm) durable.own_term.value = number;
    if (key == kMaintenance) durable.maintenance = number != 0;
  }
}

absl::Status Database::Write(const core::Durable& durable) {
  ZC_ASSIGN_OR_RETURN(sqlite::Transaction transaction, sqlite::Transaction::ToWrite(database_));
  const std::pair<absl::string_view, uint64_t> rows[] = {
      {kHighestTerm, durable.highest_term.value},
      {kOwnTerm, durable.own_term.value},
      {kMaintenance, durable.maintenance ? 1 : 0}};
  for (const auto& [key, value] : rows) {
    ZC_RETURN_IF_ERROR(put_.BindText(1, key).BindText(2, absl::StrCat(value)).Run());
  }
  return transaction.Commit();
}

}  // namespace zcluster::store
