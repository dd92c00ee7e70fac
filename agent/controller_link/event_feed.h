// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "agent/event_journal.h"
#include "common/loop.h"

namespace zcluster::controller_link {

// Which events of the journal go up one stream, and when: in order, behind what the controller has
// on its disk, some batches ahead of what it has acknowledged. A new stream has a new feed. Loop
// thread.
class EventFeed {
 public:
  // Batches that are not acknowledged.
  static constexpr size_t kMaxAhead = 4;

  // `send` takes a batch. `journal` outlives this.
  EventFeed(Loop& loop, EventJournal& journal, std::function<void(v1::EventBatch)> send);
  ~EventFeed();

  // The controller has all up to `taken`: the feed begins behind it. Once.
  void Begin(uint64_t taken);
  // It has all up to `number`. One that goes back, or beyond what was sent, is not believed.
  void Taken(uint64_t number);
  // The newest that the controller is known to have.
  uint64_t taken() const { return taken_; }

 private:
  void Pump();
  void Read(absl::StatusOr<v1::EventBatch> batch);

  Loop& loop_;
  EventJournal& journal_;
  const std::function<void(v1::EventBatch)> send_;
  uint64_t taken_ = 0;
  uint64_t sent_ = 0;
  std::deque<uint64_t> ahead_;  // the last number of each batch that is not acknowledged
  bool begun_ = false;
  bool reading_ = false;
  Loop::Registration again_;
  // The journal may answer when we are gone.
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace zcluster::controller_link
