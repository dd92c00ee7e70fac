// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "zcluster/v1/event.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::events {

// What a batch of events may be, so that it fits in a message (256 KiB) with room to spare; one
// event has at most some 36 KiB.
inline constexpr size_t kMaxBatchEvents = 256;
inline constexpr size_t kMaxBatchBytes = 128 << 10;

// Which events a journal holds: those from `first` to `last`, without gaps; both 0: none.
struct Span {
  uint64_t first = 0;
  uint64_t last = 0;
  bool operator==(const Span&) const = default;
};

// Where events are kept. One thread at a time.
class Kept {
 public:
  virtual ~Kept() = default;
  // Names it; 32 hexadecimal digits.
  virtual const std::string& id() const = 0;
  virtual Span span() const = 0;
  // Numbers `events` from last + 1 on and keeps them, all or none. The oldest of those held before
  // give way when there are too many.
  virtual absl::Status Append(const std::vector<v1::Event>& events) = 0;
  // Those with a greater number than `after`, oldest first; at most `limit`, and no more than fit
  // in a message.
  virtual absl::StatusOr<v1::EventBatch> Read(uint64_t after, size_t limit) = 0;
};

// A new one.
std::string MakeId();

// Adds `event` to `batch` unless it has no room for it.
bool AddIfItFits(v1::Event event, size_t limit, size_t& bytes, v1::EventBatch& batch);

}  // namespace zcluster::events
