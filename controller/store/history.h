// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/sqlite.h"
#include "controller/store/roster.h"
#include "controller/store/store.h"

namespace zcluster::controller {

// The events in the file, as the one who writes them sees them. Their numbers follow one another
// without a gap, so that two of them say how many there are. One thread.
class History {
 public:
  // `database` outlives this. The newest event is always kept, also if `max_events` is 0: its
  // number is the last that was given.
  static absl::StatusOr<History> Open(sqlite::Database& database, uint64_t max_events);

  // Which events there are: from `first` to `last`; last == first - 1: none.
  struct Extent {
    uint64_t first = 1;
    uint64_t last = 0;
    uint64_t count() const { return last + 1 - first; }
  };
  const Extent& extent() const { return extent_; }
  // After a transaction that was rolled back: as it was before.
  void Restore(const Extent& extent) { extent_ = extent; }

  // Part of the caller's transaction, with the agent's record in `roster`. An error is the disk's,
  // and nothing of the transaction may stay; what is wrong with the batch itself is in `answer`,
  // and then nothing was written.
  absl::Status Append(Roster& roster, Store::Batch batch, absl::StatusOr<Store::Appended>& answer);

  // How many there are too many.
  uint64_t Excess() const;
  // Removes the oldest of those, at most `limit`. Part of the caller's transaction.
  absl::Status Prune(uint64_t limit);

 private:
  History(sqlite::Statement insert, sqlite::Statement prune, uint64_t max_events, Extent extent)
      : insert_(std::move(insert)),
        prune_(std::move(prune)),
        max_events_(max_events),
        extent_(extent) {}

  absl::Status Insert(const Store::Batch& batch, v1::Event event, Store::Appended& appended);

  sqlite::Statement insert_;
  sqlite::Statement prune_;
  uint64_t max_events_;
  Extent extent_;
  std::string serialized_;  // room that is used again
};

}  // namespace zcluster::controller
