// SPDX-License-Identifier: Apache-2.0
#include "common/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status.h"
#include "common/unique_fd.h"

namespace zcluster::sqlite {

// At an address of its own, so that statements find it after their database has moved.
struct Connection {
  // _v2: one that is assigned another while it has statements goes with the last of them.
  ~Connection() { sqlite3_close_v2(handle); }

  // Why `result` came.
  absl::Status Failure(int result) const;

  std::string path;
  sqlite3* handle = nullptr;
};

namespace {

// How long one writer waits for another: our own connections hold the file for milliseconds.
constexpr int kBusyMilliseconds = 2'000;
// The log is cut to this after a burst (a long reader, a slow disk) made it longer.
constexpr int kMostOfLog = 64 << 20;

bool IsFull(int error) { return error == ENOSPC || error == EDQUOT; }

absl::StatusOr<int64_t> ReadOne(Database& database, absl::string_view sql) {
  ZC_ASSIGN_OR_RETURN(Statement statement, database.Prepare(sql));
  ZC_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

// The layout that the file has; 0: it is new.
absl::StatusOr<int64_t> CheckIsOurs(Database& database, const Database::Options& options) {
  ZC_ASSIGN_OR_RETURN(const int64_t id, ReadOne(database, "PRAGMA application_id"));
  ZC_ASSIGN_OR_RETURN(const int64_t version, ReadOne(database, "PRAGMA user_version"));
  if (id != options.application_id) {
    ZC_ASSIGN_OR_RETURN(const int64_t tables,
                        ReadOne(database, "SELECT count(*) FROM sqlite_schema"));
    if (id != 0 || version != 0 || tables != 0) {
      return absl::FailedPreconditionError(absl::StrCat(options.path, ": is not a database of ",
                                                        options.program,
                                                        "; move it away, or name another path"));
    }
  }
  const int64_t known = static_cast<int64_t>(options.layouts.size());
  if (version < 0 || version > known) {
    return absl::FailedPreconditionError(absl::StrCat(
        options.path, ": was written by a newer ", options.program, " (layout ", version,
        ", this one knows ", known, "); install that version again, or name another path"));
  }
  return version;
}

absl::Status BringToNewest(Database& database, const Database::Options& options) {
  ZC_ASSIGN_OR_RETURN(Transaction transaction, Transaction::ToWrite(database));
  // Once more, now that nobody else can do the same.
  ZC_ASSIGN_OR_RETURN(const int64_t version, ReadOne(database, "PRAGMA user_version"));
  for (size_t i = static_cast<size_t>(version); i < options.layouts.size(); ++i) {
    ZC_RETURN_IF_ERROR(database.Execute(options.layouts[i]));
  }
  ZC_RETURN_IF_ERROR(
      database.Execute(absl::StrCat("PRAGMA application_id=", options.application_id,
                                    "; PRAGMA user_version=", options.layouts.size())));
  return transaction.Commit();
}

absl::Status UseLog(Database& database) {
  ZC_ASSIGN_OR_RETURN(Statement mode, database.Prepare("PRAGMA journal_mode=WAL"));
  ZC_ASSIGN_OR_RETURN(const bool row, mode.Step());
  if (!row || mode.Text(0) != "wal") {
    return absl::FailedPreconditionError(
        absl::StrCat(database.path(),
                     ": its file system cannot share memory between programs, "
                     "as a network's; put it on a local disk"));
  }
  mode.Reset();
  return database.Execute(absl::StrCat(
      "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=", kMostOfLog));
}

// SQLite gives its log the mode of the file. A umask would be the whole process's; and a descriptor
// of a file that another connection of ours has open must never be closed: its locks would go.
absl::Status MakeFile(const std::string& path) {
  const UniqueFd made(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made && errno != EEXIST) return ErrnoStatus(path);
  return absl::OkStatus();
}

}  // namespace

absl::Status Connection::Failure(int result) const {
  const int error = handle == nullptr ? 0 : sqlite3_system_errno(handle);
  const std::string words = absl::StrCat(sqlite3_errstr(result & 0xff), error == 0 ? "" : ", ",
                                         error == 0 ? "" : std::strerror(error));
  switch (result & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat(path, ": the disk is full; make room"));
    case SQLITE_IOERR:
      if (IsFull(error)) {
        return absl::ResourceExhaustedError(absl::StrCat(path, ": the disk is full; make room"));
      }
      return absl::UnavailableError(
          absl::StrCat(path, ": the disk fails (", words, "); see the kernel's log"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(path, ": another program holds it locked"));
    case SQLITE_CORRUPT:
      return absl::DataLossError(absl::StrCat(path, ": is damaged (", words,
                                              "); restore it from a backup, or move it away"));
    case SQLITE_NOTADB:
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": is no database; move it away, or name another path"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": cannot be written; is its file system mounted read-only?"));
    case SQLITE_CANTOPEN:
      if (IsFull(error)) {
        return absl::ResourceExhaustedError(absl::StrCat(path, ": the disk is full; make room"));
      }
      return absl::FailedPreconditionError(absl::StrCat(path, ": cannot be opened: ", words));
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError(absl::StrCat(path, ": there is no memory left"));
    case SQLITE_INTERRUPT:
      return absl::CancelledError(absl::StrCat(path, ": was interrupted"));
    default:
      return absl::InternalError(
          absl::StrCat(path, ": ", handle == nullptr ? words : sqlite3_errmsg(handle)));
  }
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(const Connection& connection, sqlite3_stmt* statement)
    : connection_(&connection), statement_(statement) {}
Statement::Statement(Statement&&) noexcept = default;
Statement& Statement::operator=(Statement&&) noexcept = default;
Statement::~Statement() = default;

void Statement::Note(int result) {
  if (bound_ == SQLITE_OK) bound_ = result;
}

Statement& Statement::Bind(int index, int64_t value) {
  Note(sqlite3_bind_int64(statement_.get(), index, value));
  return *this;
}

// A null pointer would be NULL, so an empty string needs an address.
Statement& Statement::BindText(int index, absl::string_view value) {
  Note(sqlite3_bind_text64(statement_.get(), index, value.empty() ? "" : value.data(), value.size(),
                           SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::BindBlob(int index, absl::string_view value) {
  Note(sqlite3_bind_blob64(statement_.get(), index, value.empty() ? "" : value.data(), value.size(),
                           SQLITE_TRANSIENT));
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (bound_ != SQLITE_OK) return connection_->Failure(std::exchange(bound_, SQLITE_OK));
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  absl::Status status;
  if (result != SQLITE_DONE) status = connection_->Failure(result);
  sqlite3_reset(statement_.get());
  if (!status.ok()) return status;
  return false;
}

absl::Status Statement::Run() {
  while (true) {
    ZC_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

void Statement::Reset() { sqlite3_reset(statement_.get()); }

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::Text(int column) const { return std::string(Bytes(column)); }

absl::string_view Statement::Bytes(int column) const {
  // The order matters: the pointer's call settles the form, of which the other tells the size.
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? absl::string_view()
                          : absl::string_view(bytes, static_cast<size_t>(size));
}

Database::Database(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

absl::StatusOr<Database> Database::Open(const Options& options) {
  ZC_RETURN_IF_ERROR(MakeFile(options.path));
  Database database(std::make_unique<Connection>());
  Connection& connection = *database.connection_;
  connection.path = options.path;
  const int opened = sqlite3_open_v2(options.path.c_str(), &connection.handle,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (opened != SQLITE_OK) return connection.Failure(opened);
  sqlite3_extended_result_codes(connection.handle, 1);
  sqlite3_busy_timeout(connection.handle, kBusyMilliseconds);
  // Until we know that it is ours, closing must not write the log into the file either.
  sqlite3_db_config(connection.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  ZC_ASSIGN_OR_RETURN(const int64_t version, CheckIsOurs(database, options));
  ZC_RETURN_IF_ERROR(UseLog(database));
  if (version < static_cast<int64_t>(options.layouts.size())) {
    ZC_RETURN_IF_ERROR(BringToNewest(database, options));
  }
  sqlite3_db_config(connection.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return database;
}

const std::string& Database::path() const { return connection_->path; }

absl::Status Database::Execute(const std::string& sql) {
  const int result = sqlite3_exec(connection_->handle, sql.c_str(), nullptr, nullptr, nullptr);
  return result == SQLITE_OK ? absl::OkStatus() : connection_->Failure(result);
}

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result =
      sqlite3_prepare_v3(connection_->handle, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) return connection_->Failure(result);
  return Statement(*connection_, statement);
}

void Database::Interrupt() { sqlite3_interrupt(connection_->handle); }

absl::StatusOr<Transaction> Transaction::ToWrite(Database& database) {
  ZC_RETURN_IF_ERROR(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

absl::StatusOr<Transaction> Transaction::ToRead(Database& database) {
  ZC_RETURN_IF_ERROR(database.Execute("BEGIN"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some errors, such as a full disk.
  if (database_ == nullptr || sqlite3_get_autocommit(database_->connection_->handle) != 0) return;
  database_->Execute("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() { return database_->Execute("COMMIT"); }

}  // namespace zcluster::sqlite
