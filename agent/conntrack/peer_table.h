// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "agent/conntrack/jobs.h"
#include "agent/conntrack/table.h"
#include "zcluster/v1/comparison.grpc.pb.h"

namespace zcluster::conntrack {

// The peer's kernel's table, as the peer tells it; what breaks a bound is refused. Errors say that
// it was the peer, and that its agent is too old where it is. Each call waits for the peer, at most
// kPatience. A thread of its own.
class PeerTable : public Table {
 public:
  // A table of some million flows is read in that time, also on a busy node.
  static constexpr absl::Duration kPatience = absl::Minutes(2);

  // `halt` ends any call, and outlives it.
  PeerTable(const std::shared_ptr<grpc::Channel>& channel, Halt& halt);

  struct Peer {
    bool is_master = false;
    LocalAddresses addresses;
    std::string name;
  };
  absl::StatusOr<Peer> Begin();
  // Which flows count from now on. Before Sum() and Read().
  void SetScope(const Scope& scope) {
    scope_.Clear();
    scope.Write(scope_);
  }

  absl::Status Sum(Sums& sums) override;
  absl::Status Read(const BucketSet& buckets,
                    absl::FunctionRef<void(absl::Span<const Flow>)> show) override;
  absl::StatusOr<Found> Look(absl::Span<const FlowKey> keys) override;
  // See ComparisonService; the peer must be the master.
  absl::Status Settle();
  absl::Status Resynchronise();

 private:
  template <typename Call>
  absl::Status Ask(Call call);

  const std::unique_ptr<v1::ComparisonService::Stub> stub_;
  Halt& halt_;
  v1::ComparisonScope scope_;
};

}  // namespace zcluster::conntrack
