// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/peer_table.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/batch.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

// What the peer says of itself is at most that long.
constexpr size_t kMaxName = 255;

absl::Status FromPeer(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return absl::OkStatus();
    case grpc::StatusCode::UNIMPLEMENTED:
      return absl::FailedPreconditionError(
          "the peer's agent is too old to compare its connections; update it");
    // Never as it is: whoever asked us would take it for our own silence.
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return absl::FailedPreconditionError(
          absl::StrCat("the peer does not answer: ", status.error_message()));
    default:
      return {static_cast<absl::StatusCode>(status.error_code()),
              absl::StrCat("the peer: ", status.error_message())};
  }
}

absl::Status Nonsense(const absl::Status& status) {
  return absl::InternalError(absl::StrCat("the peer answers nonsense: ", status.message()));
}

}  // namespace

PeerTable::PeerTable(const std::shared_ptr<grpc::Channel>& channel, Halt& halt)
    : stub_(v1::ComparisonService::NewStub(channel)), halt_(halt) {}

template <typename Call>
absl::Status PeerTable::Ask(Call call) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(kPatience));
  const Halt::Waiting waiting(halt_, [&context] { context.TryCancel(); });
  return FromPeer(call(context));
}

absl::StatusOr<PeerTable::Peer> PeerTable::Begin() {
  v1::BeginComparisonResponse response;
  ZC_RETURN_IF_ERROR(Ask([&](grpc::ClientContext& context) {
    return stub_->Begin(&context, v1::BeginComparisonRequest(), &response);
  }));
  absl::StatusOr<LocalAddresses> addresses = ReadAddresses(response.addresses());
  if (!addresses.ok()) return Nonsense(addresses.status());
  if (response.node().size() > kMaxName)
    return Nonsense(absl::InvalidArgumentError("node: longer than 255 bytes"));
  return Peer{response.master(), *std::move(addresses), response.node()};
}

absl::Status PeerTable::Sum(Sums& sums) {
  v1::SumTableRequest request;
  *request.mutable_scope() = scope_;
  v1::TableSums response;
  ZC_RETURN_IF_ERROR(
      Ask([&](grpc::ClientContext& context) { return stub_->Sum(&context, request, &response); }));
  sums.counts = conntrack::Read(response.counts());
  const absl::Status read = sums.buckets.Read(response);
  return read.ok() ? read : Nonsense(read);
}

absl::Status PeerTable::Read(const BucketSet& buckets,
                             absl::FunctionRef<void(absl::Span<const Flow>)> show) {
  v1::ReadBucketsRequest request;
  *request.mutable_scope() = scope_;
  Write(buckets, request);
  absl::Status wrong;
  const absl::Status asked = Ask([&](grpc::ClientContext& context) {
    const auto reader = stub_->Read(&context, request);
    v1::BucketFlows message;
    std::vector<Flow> flows;
    while (wrong.ok() && reader->Read(&message)) {
      wrong = conntrack::Read(message.flows(), kMaxPart, flows);
      for (const Flow& flow : flows) {
        if (flow.gone || !buckets[BucketOf(flow.key)])
          wrong = absl::InvalidArgumentError("a flow that was not asked for");
      }
      if (wrong.ok()) show(flows);
    }
    if (!wrong.ok()) context.TryCancel();
    return reader->Finish();
  });
  return wrong.ok() ? asked : Nonsense(wrong);
}

absl::StatusOr<Table::Found> PeerTable::Look(absl::Span<const FlowKey> keys) {
  v1::LookRequest request;
  for (const FlowKey& key : keys) {
    Flow flow;
    flow.key = key;
    flow.gone = true;
    Write(flow, *request.add_keys());
  }
  v1::LookResponse response;
  ZC_RETURN_IF_ERROR(
      Ask([&](grpc::ClientContext& context) { return stub_->Look(&context, request, &response); }));
  std::vector<Flow> flows;
  if (const absl::Status read = conntrack::Read(response.flows(), kMaxPart, flows); !read.ok())
    return Nonsense(read);
  if (flows.size() != keys.size()) {
    return Nonsense(absl::InvalidArgumentError(
        absl::StrCat(flows.size(), " flows where ", keys.size(), " were asked for")));
  }
  Found found;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (flows[i].key != keys[i])
      return Nonsense(absl::InvalidArgumentError("a flow that was not asked for"));
    found.push_back(flows[i].gone ? std::nullopt : std::optional<Flow>(flows[i]));
  }
  return found;
}

absl::Status PeerTable::Settle() {
  v1::SettleResponse response;
  return Ask([&](grpc::ClientContext& context) {
    return stub_->Settle(&context, v1::SettleRequest(), &response);
  });
}

absl::Status PeerTable::Resynchronise() {
  v1::ResynchroniseResponse response;
  return Ask([&](grpc::ClientContext& context) {
    return stub_->Resynchronise(&context, v1::ResynchroniseRequest(), &response);
  });
}

}  // namespace zcluster::conntrack
