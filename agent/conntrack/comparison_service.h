// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "agent/conntrack/jobs.h"
#include "agent/conntrack/pairing.h"
#include "agent/conntrack/scope.h"
#include "common/access/client.h"
#include "common/access/desk.h"
#include "common/loop.h"
#include "zcluster/v1/comparison.grpc.pb.h"

namespace zcluster::conntrack {

// Tells the peer what this kernel holds. Loop thread.
class ComparisonService : public v1::ComparisonService::CallbackService {
 public:
  // The peer reads our table so often at the same time, at most.
  static constexpr size_t kMaxJobs = 4;

  // Both outlive this object.
  ComparisonService(Loop& loop, Guard& guard, Pairing pairing)
      : desk_(loop, guard), pairing_(std::move(pairing)), jobs_(kMaxJobs) {}

  // Ends all calls, and those that come later at once. Also after the loop has ended.
  void Stop();

 private:
  using Context = grpc::CallbackServerContext;
  grpc::ServerUnaryReactor* Begin(Context* context, const v1::BeginComparisonRequest* request,
                                  v1::BeginComparisonResponse* response) override;
  grpc::ServerUnaryReactor* Sum(Context* context, const v1::SumTableRequest* request,
                                v1::TableSums* response) override;
  grpc::ServerWriteReactor<v1::BucketFlows>* Read(Context* context,
                                                  const v1::ReadBucketsRequest* request) override;
  grpc::ServerUnaryReactor* Look(Context* context, const v1::LookRequest* request,
                                 v1::LookResponse* response) override;
  grpc::ServerUnaryReactor* Settle(Context* context, const v1::SettleRequest* request,
                                   v1::SettleResponse* response) override;
  grpc::ServerUnaryReactor* Resynchronise(Context* context, const v1::ResynchroniseRequest* request,
                                          v1::ResynchroniseResponse* response) override;

  // Which flows of ours count for the peer.
  absl::StatusOr<Scope> ScopeOf(const v1::ComparisonScope& message) const;
  // Has a job do it; the client hears why it is not done.
  void Start(const std::shared_ptr<access::Client>& client, std::function<void(Halt&)> work);

  access::Desk desk_;
  const Pairing pairing_;
  Jobs jobs_;
};

}  // namespace zcluster::conntrack
