// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "zcluster/v1/fleet.pb.h"

namespace zcluster::controller {

// The newest events that are on the disk, in memory as well: thousands a second then cost whoever
// follows them no read of the disk. Loop thread.
class Recent {
 public:
  static constexpr size_t kMaxEvents = 8192;
  static constexpr size_t kMaxBytes = 8 << 20;

  // `newest`: number of the newest that is on the disk, of which nothing is here.
  explicit Recent(uint64_t newest) : floor_(newest) {}

  // They are on the disk now; numbers grow from call to call.
  void Add(std::vector<v1::FleetEvent> events);

  // Whether every event with a greater number, as far as it was added, is here.
  bool Covers(uint64_t after) const { return after >= floor_; }
  // The first event with a greater number.
  std::deque<v1::FleetEvent>::const_iterator After(uint64_t number) const;
  std::deque<v1::FleetEvent>::const_iterator end() const { return events_.end(); }

 private:
  std::deque<v1::FleetEvent> events_;
  size_t bytes_ = 0;
  uint64_t floor_;  // what has this number or a lower one may be missing
};

}  // namespace zcluster::controller
