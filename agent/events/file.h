// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "agent/events/kept.h"
#include "common/sqlite.h"

namespace zcluster::events {

// Events in an SQLite file, each on disk when Append() returns. Errors are those of
// common/sqlite.h; after DATA_LOSS the file is of no more use, see SetAside().
class File : public Kept {
 public:
  // So many of the newest are kept: some 30 MB, months of a node's life.
  static constexpr uint64_t kMaxEvents = 100'000;
  // At most so many are deleted with one Append(), so that none takes long.
  static constexpr uint64_t kMaxDeleted = 2'000;

  // Opens `path`, or makes it (mode 0600). A new one has `id` (empty: one of its own), and the
  // number after `last` is its first. DATA_LOSS: it is damaged, or no database at all;
  // FAILED_PRECONDITION: a newer program wrote it, or it is another's.
  static absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path, std::string id,
                                                    uint64_t last,
                                                    uint64_t max_events = kMaxEvents);

  const std::string& id() const override { return id_; }
  Span span() const override { return span_; }
  // Number of the newest event that it ever had, or of the one before its first.
  uint64_t newest() const { return newest_; }
  absl::Status Append(const std::vector<v1::Event>& events) override;
  absl::StatusOr<v1::EventBatch> Read(uint64_t after, size_t limit) override;

 private:
  File(sqlite::Database database, sqlite::Statement insert, sqlite::Statement remove,
       sqlite::Statement select, uint64_t max_events);
  absl::Status Load(std::string id, uint64_t last);

  sqlite::Database database_;
  sqlite::Statement insert_;
  sqlite::Statement remove_;
  sqlite::Statement select_;
  const uint64_t max_events_;
  std::string id_;
  uint64_t newest_ = 0;
  Span span_;
};

// Files that were set aside and are kept, at most; a later one replaces the last of them.
inline constexpr int kMaxSetAside = 3;

// Renames the damaged file, which must not be open, and its write-ahead log to PATH.broken-N, for
// whoever wants to rescue events; returns that name.
absl::StatusOr<std::string> SetAside(const std::string& path);

}  // namespace zcluster::events
