// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/sqlite.h"
#include "controller/store/store.h"
#include "zcluster/v1/fleet.pb.h"

namespace zcluster::controller {

// Finds events in the file, over a connection of its own, so that it neither waits for the writer
// nor delays it. One thread, but for Stop().
class Search {
 public:
  static absl::StatusOr<Search> Open(const std::string& path);

  // As Store::Read(): all of one moment.
  absl::StatusOr<std::vector<v1::FleetEvent>> Find(const Store::Query& query);
  // Makes Find() fail soon, now and later. Any thread.
  void Stop();

 private:
  explicit Search(sqlite::Database database)
      : database_(std::move(database)), stopped_(std::make_unique<std::atomic<bool>>(false)) {}

  absl::StatusOr<std::vector<int64_t>> NumbersOf(const Store::Query& query);
  absl::StatusOr<int64_t> FirstSince(int64_t since);
  absl::StatusOr<std::vector<v1::FleetEvent>> Fetch(const std::vector<int64_t>& numbers);
  absl::Status CheckStopped() const;

  sqlite::Database database_;
  std::unique_ptr<std::atomic<bool>> stopped_;  // at an address of its own: this may move
};

}  // namespace zcluster::controller
