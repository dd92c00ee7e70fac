// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "common/loop.h"
#include "controller/api/pull_stream.h"
#include "controller/api/source.h"
#include "controller/core/selector.h"
#include "controller/hub/hub.h"

namespace zcluster::controller {

// Tells a client which pairs match, and each again when it looks different. What it has not been
// told yet is kept as names, and told as it is then: a slow client gets the latest. Loop thread.
class WatchSource : public Source {
 public:
  using Stream = PullStream<v1::PairChanges>;
  // A message at most so often: a fleet in which something always changes is told in pieces that
  // are worth one.
  static constexpr absl::Duration kPace = absl::Milliseconds(100);

  // Begins to tell. `hub` and `loop` outlive this, which lives in `sources`.
  static void Begin(Loop& loop, Hub& hub, const std::shared_ptr<Sources>& sources,
                    Selector selector, std::shared_ptr<Stream> stream);

  void Close(const absl::Status& why) override { stream_->Close(why); }

 private:
  WatchSource(Loop& loop, Hub& hub, Selector selector, std::shared_ptr<Stream> stream);
  void Changed(const std::set<std::string>& names);
  void Pull();
  void Put(const std::string& name, v1::PairChanges& changes);

  Loop& loop_;
  Hub& hub_;
  const Selector selector_;
  const std::shared_ptr<Stream> stream_;
  std::set<std::string> first_;  // of those that were there at the beginning: not told yet
  std::set<std::string> dirty_;
  std::set<std::string> shown_;  // told as matching
  bool complete_ = false;
  absl::Time not_before_ = absl::InfinitePast();
  Loop::Registration pause_;
  Loop::Registration changes_;
};

}  // namespace zcluster::controller
