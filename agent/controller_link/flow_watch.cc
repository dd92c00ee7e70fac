// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/flow_watch.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "agent/controller_link/limits.h"
#include "zcluster/v1/flows.grpc.pb.h"

namespace zcluster::controller_link {
namespace {

// As flows.proto says.
constexpr uint32_t kMostPerSecond = 1000;
// After so long the look is begun anew: no call of ours is without an end.
constexpr absl::Duration kOneLook = absl::Hours(1);
constexpr absl::Duration kSoonestAgain = absl::Seconds(1);
constexpr absl::Duration kLatestAgain = absl::Minutes(1);
constexpr size_t kMost = kMaxMessageBytes - 1024;

}  // namespace

FlowWatch::FlowWatch(Loop& loop, std::shared_ptr<Inlet> inlet, const NodeDoor& door,
                     std::function<void(v1::FlowsSeen)> seen)
    : loop_(loop),
      inlet_(std::move(inlet)),
      door_(door),
      seen_(std::move(seen)),
      backoff_(kSoonestAgain, kLatestAgain) {}

FlowWatch::~FlowWatch() { Subscribe(0, {}); }

void FlowWatch::Subscribe(uint32_t max_per_second, const access::Caller& viewer) {
  max_per_second = std::min(max_per_second, kMostPerSecond);
  if (max_per_second == max_per_second_) return;
  max_per_second_ = max_per_second;
  viewer_ = viewer;
  again_.reset();
  backoff_.Reset();
  if (call_ != nullptr) std::exchange(call_, nullptr)->Cancel();
  if (max_per_second_ > 0) Begin();
}

void FlowWatch::Begin() {
  const std::shared_ptr<grpc::Channel> channel = door_.channel();
  if (channel == nullptr) {
    again_ = loop_.After(backoff_.Next(), [this] { Begin(); });
    return;
  }
  v1::WatchFlowsRequest request;
  request.set_max_per_second(max_per_second_);
  call_ = std::make_shared<NodeCall<v1::FlowsSeen>>(inlet_, channel);
  call_->Begin(
      viewer_, door_, kOneLook,
      [&](const std::shared_ptr<grpc::Channel>& to, grpc::ClientContext* context,
          NodeCall<v1::FlowsSeen>* call) {
        v1::FlowService::NewStub(to)->async()->Watch(context, &request, call);
      },
      [this](v1::FlowsSeen seen) {
        backoff_.Reset();
        if (seen.ByteSizeLong() > kMost) {
          seen.set_skipped(seen.skipped() + static_cast<uint64_t>(seen.flows_size()));
          seen.clear_flows();
        }
        seen_(std::move(seen));
        if (call_ != nullptr) call_->Read();
      },
      [this](const grpc::Status&) {
        call_.reset();
        again_ = loop_.After(backoff_.Next(), [this] { Begin(); });
      });
}

}  // namespace zcluster::controller_link
