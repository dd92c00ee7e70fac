// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/conntrack/jobs.h"
#include "agent/conntrack/mailbox.h"
#include "agent/conntrack/pairing.h"
#include "agent/conntrack/tap.h"
#include "common/access/desk.h"
#include "common/access/message_stream.h"
#include "common/loop.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::conntrack {

// What operators see of the flows. Shows what goes through a tap to those who watch: one who does
// not take what is sent misses changes, which is counted; nothing else waits for it. And compares
// the two kernels' tables for those who ask. Loop thread.
class FlowService : public v1::FlowService::CallbackService {
 public:
  // So many may watch at once: each costs the loop a message every 200 ms.
  static constexpr size_t kMaxWatchers = 4;
  static constexpr uint32_t kFastest = 1000;  // changes a second
  static constexpr uint32_t kDefaultRate = 100;
  // Looks at the kernel's whole table at the same time, of all operators.
  static constexpr size_t kMaxJobs = 3;
  static constexpr uint32_t kMostDifferences = 1000;
  static constexpr uint32_t kDefaultDifferences = 20;
  static constexpr uint32_t kMostListed = 1000000;
  static constexpr uint32_t kDefaultListed = 1000;
  static constexpr uint32_t kMostRows = 1000;
  static constexpr uint32_t kDefaultRows = 20;

  // What it is about.
  struct Subject {
    std::string node;                     // name of this one
    std::shared_ptr<grpc::Channel> peer;  // to its ComparisonService
    std::shared_ptr<Mailbox> mail;
    Pairing pairing;
  };
  // The references outlive this object.
  FlowService(Loop& loop, Guard& guard, Tap& tap, Subject subject);

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

  using Verified = access::MessageStream<v1::VerifyFlowsProgress>;
  grpc::ServerWriteReactor<v1::VerifyFlowsProgress>* Verify(
      grpc::CallbackServerContext* context, const v1::VerifyFlowsRequest* request) override;
  grpc::ServerUnaryReactor* Repair(grpc::CallbackServerContext* context,
                                   const v1::RepairFlowsRequest* request,
                                   v1::RepairFlowsResponse* response) override;
  using Listed = access::MessageStream<v1::ListedFlows>;
  grpc::ServerWriteReactor<v1::ListedFlows>* List(grpc::CallbackServerContext* context,
                                                  const v1::ListFlowsRequest* request) override;
  grpc::ServerUnaryReactor* Stats(grpc::CallbackServerContext* context,
                                  const v1::FlowStatsRequest* request,
                                  v1::FlowStats* response) override;
  using Tops = access::MessageStream<v1::TopFlows>;
  grpc::ServerWriteReactor<v1::TopFlows>* Top(grpc::CallbackServerContext* context,
                                              const v1::TopFlowsRequest* request) override;
  void BeginTop(const std::shared_ptr<Tops>& stream, const v1::TopFlowsRequest& request);
  void BeginList(const std::shared_ptr<Listed>& stream, const v1::ListFlowsRequest& request);
  void BeginVerify(const std::shared_ptr<Verified>& stream, uint32_t limit);
  void BeginRepair(const std::shared_ptr<access::Client>& client);
  // Has a job do it; the client hears why it is not done.
  bool Start(const std::shared_ptr<access::Client>& client, std::function<void(Halt&)> work);

  Loop& loop_;
  access::Desk desk_;
  Tap& tap_;
  const Subject subject_;
  std::vector<Watcher> watchers_;
  std::vector<Tap::Seen> seen_;  // being shown
  Loop::Registration tick_;
  bool verifying_ = false;
  Jobs jobs_;
};

}  // namespace zcluster::conntrack
