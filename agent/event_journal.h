// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "zcluster/v1/event.pb.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster {

// What happened on this node, on its disk; implemented by agent/events, for the rooms that tell it
// to others. Loop thread.
class EventJournal {
 public:
  using Answer = std::function<void(absl::StatusOr<v1::EventBatch>)>;
  virtual ~EventJournal() = default;

  // Names this journal for as long as its file lives; 32 hexadecimal digits. Empty as long as a
  // first file could not be made.
  virtual const std::string& id() const = 0;
  // The oldest and the newest event that are on the disk; 0 if there is none.
  virtual uint64_t first() const = 0;
  virtual uint64_t last() const = 0;
  // The events with a greater number than `after`, oldest first, at most `limit` of them and not
  // more than fit in a message. Answered once, on the loop, later; never after Stop().
  virtual void Read(uint64_t after, size_t limit, Answer answer) = 0;
  // `grown` is called on the loop whenever last() has grown; empty: no longer.
  virtual void OnGrown(std::function<void()> grown) = 0;
};

}  // namespace zcluster
