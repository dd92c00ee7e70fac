// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/core/types.h"

namespace zcluster::store {

// The SQLite file: one row a number, so that a later program adds numbers without a migration. One
// thread at a time.
class Database {
 public:
  static absl::StatusOr<Database> Open(const std::string& path);

  absl::StatusOr<core::Durable> Read();
  // Returns once `durable` is on disk (WAL, synchronous=FULL). On an error the old values stand.
  absl::Status Write(const core::Durable& durable);

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };
  Database(std::string path, std::unique_ptr<sqlite3, Close> database)
      : path_(std::move(path)), database_(std::move(database)) {}

  absl::Status Execute(const char* sql);
  absl::Status Failure() const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace zcluster::store
