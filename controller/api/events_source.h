// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "common/loop.h"
#include "controller/api/pull_stream.h"
#include "controller/api/source.h"
#include "controller/hub/hub.h"
#include "controller/store/store.h"

namespace zcluster::controller {

// Tells a client what happened, and if it follows, what happens: from the store, or from what the
// hub still has in memory of it, always from behind what was told last. So nothing is left out and
// nothing told twice, and a slow client holds up a few hundred events in memory, not all that come
// meanwhile. Loop thread.
class EventsSource : public Source {
 public:
  using Stream = PullStream<v1::FleetEvents>;
  // Read at once of what is new.
  static constexpr size_t kChunk = 256;

  // `history` says which events, and how many of those that are there. Else as WatchSource.
  static void Begin(Hub& hub, const std::shared_ptr<Sources>& sources, Store::Query history,
                    bool follow, std::shared_ptr<Stream> stream);

  void Close(const absl::Status& why) override { stream_->Close(why); }

 private:
  EventsSource(Hub& hub, Store::Query query, bool follow, std::shared_ptr<Stream> stream);
  void Read();
  // What the hub has of what is new.
  void TakeRecent();
  bool Wants(const v1::FleetEvent& event) const;
  void Take(uint64_t known, absl::StatusOr<std::vector<v1::FleetEvent>> events);
  void Pull();

  Hub& hub_;
  Store::Query query_;
  const absl::flat_hash_set<std::string> pairs_;  // of query_
  const bool follow_;
  const std::shared_ptr<Stream> stream_;
  bool reading_ = false;
  bool begun_ = false;  // the history is read
  std::deque<v1::FleetEvent> waiting_;
  Loop::Registration grown_;
  const std::shared_ptr<char> alive_ = std::make_shared<char>();  // the store may answer later
};

}  // namespace zcluster::controller
