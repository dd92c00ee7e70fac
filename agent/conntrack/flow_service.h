// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/conntrack/tap.h"
#include "common/access/desk.h"
#include "common/access/message_stream.h"
#include "common/loop.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::conntrack {

// Shows what goes through a tap to those who watch. One who does not take what is sent misses
// changes, which is counted; nothing else waits for it. Loop thread.
class FlowService : public v1::FlowService::CallbackService {
 public:
  // So many may watch at once: each costs the loop a message every 200 ms.
  static constexpr size_t kMaxWatchers = 4;
  static constexpr uint32_t kFastest = 1000;  // changes a second
  static constexpr uint32_t kDefaultRate = 100;

  // `node` is the name of this one. The rest outlives this object.
  FlowService(Loop& loop, Guard& guard, Tap& tap, std::string node);

  // Ends all calls, and those that come later at once. Also after the loop has ended.
  void Stop();

 private:
  using Stream = access::MessageStream<v1::FlowsSeen>;
  struct Watcher {
    std::shared_ptr<Stream> stream;
    Allowance allowance;
    uint64_t skipped = 0;  // since its last message
  };

  grpc::ServerWriteReactor<v1::FlowsSeen>* Watch(grpc::CallbackServerContext* context,
                                                 const v1::WatchFlowsRequest* request) override;
  void Begin(std::shared_ptr<Stream> stream, uint32_t rate);
  // Forgets whoever has gone, and lets the tap keep what those that are left may see.
  void Settle();
  void Show();
  void ShowTo(Watcher& watcher, uint64_t not_kept) const;

  Loop& loop_;
  access::Desk desk_;
  Tap& tap_;
  const std::string node_;
  std::vector<Watcher> watchers_;
  std::vector<Tap::Seen> seen_;  // being shown
  Loop::Registration tick_;
};

}  // namespace zcluster::conntrack
