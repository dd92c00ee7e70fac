// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/sqlite.h"

// What is in the file, and how values are written in it.
namespace zcluster::controller {

// Opens or creates, as sqlite::Database::Open().
absl::StatusOr<sqlite::Database> OpenFile(const std::string& path);

// Times are nanoseconds since 1970, from 1677 to 2262; beyond are InfinitePast and InfiniteFuture.
int64_t ToColumn(absl::Time time);
absl::Time TimeOf(int64_t column);
google::protobuf::Timestamp ProtoOf(absl::Time time);

// Unsigned numbers that others chose: SQLite's are signed, so those above 2^63 are negative there.
// Such columns are never compared in SQL.
inline int64_t ToColumn(uint64_t number) { return static_cast<int64_t>(number); }
inline uint64_t NumberOf(int64_t column) { return static_cast<uint64_t>(column); }

}  // namespace zcluster::controller
