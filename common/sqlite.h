// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct sqlite3;
struct sqlite3_stmt;

// SQLite, as much of it as we use: files whose every commit is on disk when it returns
// (write-ahead log, synchronous=FULL). Errors name the file and say in words for people what is
// wrong: RESOURCE_EXHAUSTED the disk is full, UNAVAILABLE it fails or somebody else holds the file,
// DATA_LOSS the file is damaged, FAILED_PRECONDITION it is not ours or cannot be written,
// CANCELLED it was interrupted, INTERNAL what only our own SQL can cause.
namespace zcluster::sqlite {

struct Connection;

// A prepared statement. Its database outlives it; the same one thread.
class Statement {
 public:
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  // The value of the `index`th "?", from 1; it is copied, and stays until it is bound again.
  // An error of it is told by the next Step().
  Statement& Bind(int index, int64_t value);
  Statement& BindText(int index, absl::string_view value);
  Statement& BindBlob(int index, absl::string_view value);

  // True: there is a row. False: it is through, and may be stepped from the beginning again. On an
  // error too.
  absl::StatusOr<bool> Step();
  // Steps through all of it.
  absl::Status Run();
  // Begins anew before the last row was reached; the values stay bound. Until then a statement that
  // reads keeps its view of the file, which is as the file was.
  void Reset();

  // Of the row that Step() has reached; columns from 0. NULL is 0 and "". What Bytes() points to
  // lives until the next Step().
  int64_t Int(int column) const;
  std::string Text(int column) const;
  absl::string_view Bytes(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const Connection& connection, sqlite3_stmt* statement);
  void Note(int result);

  const Connection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;  // result of the first Bind that failed
};

// One connection to one file. One thread at a time.
class Database {
 public:
  struct Options {
    std::string path;
    std::string program;  // that writes such files: "zagent"; for messages
    // Tells our files from others (PRAGMA application_id); 0: the files have none.
    int32_t application_id = 0;
    // SQL that makes a file of layout n+1 from one of layout n; the first makes it from nothing.
    // Their number is the layout that is written (PRAGMA user_version); it grows when a reader of
    // the old one would misread the new one.
    std::vector<std::string> layouts;
  };
  // Opens, or creates with mode 0600; brings it to the newest layout, whole or not at all.
  // FAILED_PRECONDITION if a newer program wrote it or it is none of ours: nothing is changed then.
  static absl::StatusOr<Database> Open(const Options& options);
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  const std::string& path() const;
  // Some statements without values, one after the other.
  absl::Status Execute(const std::string& sql);
  absl::StatusOr<Statement> Prepare(absl::string_view sql);
  // Makes a Step() that is under way fail soon. Any thread, while this lives.
  void Interrupt();

 private:
  friend class Transaction;
  explicit Database(std::unique_ptr<Connection> connection);
  std::unique_ptr<Connection> connection_;
};

// All or nothing: what was not committed is rolled back at the end of its life. One at a time; its
// database outlives it.
class Transaction {
 public:
  // Holds the file against other writers. Waits for one, 2 s at most: UNAVAILABLE.
  static absl::StatusOr<Transaction> ToWrite(Database& database);
  // Sees the file as it is now, whatever others write meanwhile; delays nobody.
  static absl::StatusOr<Transaction> ToRead(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // OK: it is on disk. Else nothing of it is there.
  absl::Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // null: it is over
};

}  // namespace zcluster::sqlite
