// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "zcluster/v1/event.pb.h"

namespace zcluster::events {

// Events that are not on the disk yet, oldest first. Bounded: where a disk is full for days, the
// oldest give way. One thread at a time.
class Waiting {
 public:
  static constexpr size_t kMaxEvents = 10'000;
  // Events have some 200 bytes; this is for those that are far longer.
  static constexpr size_t kMaxBytes = 8 << 20;

  void Add(v1::Event event);
  bool empty() const { return events_.empty(); }
  // Events that gave way since the last Forgive().
  uint64_t dropped() const { return dropped_; }

  // Moves the oldest out, at most `most`.
  std::vector<v1::Event> Take(size_t most);
  // Brings back what was taken last and could not be kept. Older than all, it is what gives way.
  void PutBack(std::vector<v1::Event> events);
  // `count` of those that gave way were told of.
  void Forgive(uint64_t count) { dropped_ -= count; }

 private:
  void KeepBounds();

  std::deque<v1::Event> events_;
  size_t bytes_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace zcluster::events
