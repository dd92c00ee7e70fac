// SPDX-License-Identifier: Apache-2.0
#include "controller/store/layout.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "common/status.h"

namespace zcluster::controller {
namespace {

constexpr int32_t kApplication = 0x7a636c63;  // "zclc"

// Layout 1. Events have no foreign key: they outlive their pair. `events_of_pair` and the two of
// warnings end in the number, as all indexes of SQLite do: a pair's newest are found without a
// sort.
constexpr char kFirstLayout[] = R"sql(
CREATE TABLE pairs(
  name TEXT PRIMARY KEY,
  ca_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE pair_labels(
  pair TEXT, key TEXT, value TEXT NOT NULL,
  PRIMARY KEY(pair, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE agents(
  pair TEXT, node TEXT,
  key TEXT NOT NULL,
  enrolled INTEGER NOT NULL,
  certificate_expires INTEGER NOT NULL,
  journal TEXT NOT NULL,
  events_taken INTEGER NOT NULL,
  PRIMARY KEY(pair, node)
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens(
  hash TEXT PRIMARY KEY,
  pair TEXT NOT NULL,
  made INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  ended TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token_labels(
  hash TEXT, key TEXT, value TEXT NOT NULL,
  PRIMARY KEY(hash, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE operators(
  name TEXT PRIMARY KEY,
  right TEXT NOT NULL,
  key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE events(
  number INTEGER PRIMARY KEY,
  pair TEXT NOT NULL,
  node TEXT NOT NULL,
  received INTEGER NOT NULL,
  warning INTEGER NOT NULL,
  event BLOB NOT NULL
) STRICT;
CREATE INDEX events_of_pair ON events(pair);
CREATE INDEX events_by_time ON events(received);
CREATE INDEX warnings ON events(number) WHERE warning = 1;
CREATE INDEX warnings_of_pair ON events(pair) WHERE warning = 1;
)sql";

// The log is written into the file when it has so many pages of 4 KiB: 32 MiB. Events of thousands
// of agents touch the same pages again and again, and of each only the last state is then written;
// SQLite's own 1,000 pages made it a third more, and more waits for the disk.
constexpr int kPagesOfLog = 8'000;
// Pages kept in memory, for each of the two connections: what a commit touches in the indexes.
constexpr int kKilobytesOfCache = 16 << 10;

constexpr int64_t kInfiniteFuture = std::numeric_limits<int64_t>::max();
constexpr int64_t kInfinitePast = std::numeric_limits<int64_t>::min();

}  // namespace

absl::StatusOr<sqlite::Database> OpenFile(const std::string& path) {
  ZC_ASSIGN_OR_RETURN(sqlite::Database database,
                      sqlite::Database::Open({.path = path,
                                              .program = "zcontroller",
                                              .application_id = kApplication,
                                              .layouts = {kFirstLayout}}));
  ZC_RETURN_IF_ERROR(database.Execute(absl::StrCat("PRAGMA wal_autocheckpoint=", kPagesOfLog,
                                                   "; PRAGMA cache_size=-", kKilobytesOfCache)));
  return database;
}

// What is out of range is told by Abseil as these very two.
int64_t ToColumn(absl::Time time) { return absl::ToUnixNanos(time); }

absl::Time TimeOf(int64_t column) {
  if (column == kInfiniteFuture) return absl::InfiniteFuture();
  if (column == kInfinitePast) return absl::InfinitePast();
  return absl::FromUnixNanos(column);
}

google::protobuf::Timestamp ProtoOf(absl::Time time) {
  const int64_t nanoseconds = ToColumn(time);
  google::protobuf::Timestamp proto;
  // Rounds down, also before 1970: the rest of a Timestamp is never negative.
  int64_t seconds = nanoseconds / 1'000'000'000;
  int64_t rest = nanoseconds % 1'000'000'000;
  if (rest < 0) {
    --seconds;
    rest += 1'000'000'000;
  }
  proto.set_seconds(seconds);
  proto.set_nanos(static_cast<int32_t>(rest));
  return proto;
}

}  // namespace zcluster::controller
