// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/core/types.h"
#include "common/sqlite.h"

namespace zcluster::store {

// The SQLite file: one row a number, so that a later program adds numbers without a migration. One
// thread at a time.
class Database {
 public:
  static absl::StatusOr<Database> Open(const std::string& path);

  absl::StatusOr<core::Durable> Read();
  // Returns once `durable` is on disk. On an error the old values stand.
  absl::Status Write(const core::Durable& durable);

 private:
  Database(sqlite::Database database, sqlite::Statement put)
      : database_(std::move(database)), put_(std::move(put)) {}

  sqlite::Database database_;
  sqlite::Statement put_;
};

}  // namespace zcluster::store
