// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/loop.h"
#include "common/rate.h"
#include "controller/api/pull_stream.h"
#include "controller/api/source.h"
#include "controller/hub/hub.h"

namespace zcluster::controller {

// Shows a client a pair's connections. What comes while it cannot take it, or is more than it asked
// for (another looks too, and wants more), is counted and not shown. Loop thread.
class FlowsSource : public Source {
 public:
  using Stream = PullStream<v1::FlowsSeen>;

  // As WatchSource. The pair is there; the stream ends with NOT_FOUND when it is not any more.
  static void Begin(Hub& hub, const std::shared_ptr<Sources>& sources, const std::string& pair,
                    uint32_t max_per_second, std::shared_ptr<Stream> stream);

  void Close(const absl::Status& why) override { stream_->Close(why); }

 private:
  FlowsSource(Hub& hub, std::string pair, uint32_t max_per_second, std::shared_ptr<Stream> stream);
  void Show(const v1::FlowsSeen& flows);

  const std::string pair_;
  const std::shared_ptr<Stream> stream_;
  Rate rate_;
  uint64_t skipped_ = 0;
  Loop::Registration changes_;
  Loop::Registration flows_;
};

}  // namespace zcluster::controller
