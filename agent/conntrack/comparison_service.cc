// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/comparison_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/batch.h"
#include "agent/conntrack/own_table.h"
#include "common/access/message_stream.h"
#include "common/access/unary_answer.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

using access::UnaryAnswer;
using Stream = access::MessageStream<v1::BucketFlows>;

// Messages of the stream that wait for the peer to take them: some 300 KB.
constexpr size_t kAhead = 4;
constexpr absl::Duration kPatience = absl::Seconds(30);

absl::StatusOr<v1::BeginComparisonResponse> Introduce(const absl::StatusOr<Standing>& standing) {
  if (!standing.ok()) return standing.status();
  v1::BeginComparisonResponse response;
  response.set_master(standing->is_master);
  response.set_node(standing->name);
  Write(standing->addresses, *response.mutable_addresses());
  return response;
}

absl::StatusOr<v1::TableSums> SumUp(OwnTable& table) {
  Table::Sums sums;
  ZC_RETURN_IF_ERROR(table.Sum(sums));
  v1::TableSums message;
  Write(sums.counts, *message.mutable_counts());
  sums.buckets.Write(message);
  return message;
}

// A part of the kernel's is small; several go into one message.
absl::Status Send(OwnTable& table, const BucketSet& buckets, Stream& stream) {
  v1::BucketFlows message;
  const auto send = [&] {
    if (message.flows().empty() || !stream.AwaitRoom(kAhead, kPatience)) return;
    stream.Write(std::exchange(message, {}));
  };
  const absl::Status read = table.Read(buckets, [&](absl::Span<const Flow> part) {
    if (!stream.open()) return;
    for (const Flow& flow : part) {
      Write(flow, *message.add_flows());
      if (message.flows_size() == static_cast<int>(Table::kMaxPart)) send();
    }
  });
  send();
  return read;
}

absl::StatusOr<v1::LookResponse> LookUp(OwnTable& table, const std::vector<FlowKey>& keys) {
  ZC_ASSIGN_OR_RETURN(const Table::Found found, table.Look(keys));
  v1::LookResponse response;
  for (size_t i = 0; i < keys.size(); ++i) {
    Flow gone;
    gone.key = keys[i];
    gone.gone = true;
    Write(found[i] ? *found[i] : gone, *response.add_flows());
  }
  return response;
}

}  // namespace

void ComparisonService::Stop() {
  desk_.Close();
  jobs_.Stop();
}

absl::StatusOr<Scope> ComparisonService::ScopeOf(const v1::ComparisonScope& message) const {
  ZC_ASSIGN_OR_RETURN(Standing standing, pairing_.standing());
  return Scope::Read(message, std::move(standing.filter));
}

void ComparisonService::Start(const std::shared_ptr<access::Client>& client,
                              std::function<void(Halt&)> work) {
  if (!jobs_.Start(std::move(work))) {
    client->Close(absl::ResourceExhaustedError(
        absl::StrCat(kMaxJobs, " calls read this node's table already; try again")));
  }
}

grpc::ServerUnaryReactor* ComparisonService::Begin(Context* context,
                                                   const v1::BeginComparisonRequest*,
                                                   v1::BeginComparisonResponse* response) {
  auto answer = UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ComparisonService/Begin"}, answer,
            [this, answer, response] { answer->Give(Introduce(pairing_.standing()), response); });
  return answer.get();
}

grpc::ServerUnaryReactor* ComparisonService::Sum(Context* context,
                                                 const v1::SumTableRequest* request,
                                                 v1::TableSums* response) {
  auto answer = UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ComparisonService/Sum"}, answer,
            [this, answer, response, message = request->scope()] {
              const absl::StatusOr<Scope> scope = ScopeOf(message);
              if (!scope.ok()) return answer->Close(scope.status());
              Start(answer, [answer, response, scope = *scope](Halt& halt) {
                OwnTable table(scope, halt);
                answer->Give(SumUp(table), response);
              });
            });
  return answer.get();
}

grpc::ServerWriteReactor<v1::BucketFlows>* ComparisonService::Read(
    Context* context, const v1::ReadBucketsRequest* request) {
  auto stream = Stream::Make();
  desk_.Ask({*context, "zcluster.v1.ComparisonService/Read"}, stream,
            [this, stream, message = *request] {
              absl::StatusOr<Scope> scope = ScopeOf(message.scope());
              BucketSet buckets;
              absl::Status wrong = scope.status();
              wrong.Update(conntrack::Read(message, buckets));
              if (!wrong.ok()) return stream->Close(wrong);
              Start(stream, [stream, buckets, scope = *scope](Halt& halt) {
                const Halt::Waiting waiting(
                    halt, [&] { stream->Close(absl::UnavailableError("the agent is stopping")); });
                OwnTable table(scope, halt);
                stream->Close(Send(table, buckets, *stream));
              });
            });
  return stream.get();
}

grpc::ServerUnaryReactor* ComparisonService::Look(Context* context, const v1::LookRequest* request,
                                                  v1::LookResponse* response) {
  auto answer = UnaryAnswer::Make();
  std::vector<Flow> flows;
  const absl::Status read = conntrack::Read(request->keys(), Table::kMaxPart, flows);
  std::vector<FlowKey> keys;
  for (const Flow& flow : flows) keys.push_back(flow.key);
  desk_.Ask({*context, "zcluster.v1.ComparisonService/Look"}, answer,
            [this, answer, response, read, keys = std::move(keys)] {
              const absl::StatusOr<Scope> scope = ScopeOf({});
              absl::Status wrong = scope.status();
              wrong.Update(read);
              if (!wrong.ok()) return answer->Close(wrong);
              Start(answer, [answer, response, keys, scope = *scope](Halt& halt) {
                OwnTable table(scope, halt);
                answer->Give(LookUp(table, keys), response);
              });
            });
  return answer.get();
}

grpc::ServerUnaryReactor* ComparisonService::Settle(Context* context, const v1::SettleRequest*,
                                                    v1::SettleResponse*) {
  auto answer = UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ComparisonService/Settle"}, answer, [this, answer] {
    pairing_.settle([answer](const absl::Status& status) { answer->Close(status); });
  });
  return answer.get();
}

grpc::ServerUnaryReactor* ComparisonService::Resynchronise(Context* context,
                                                           const v1::ResynchroniseRequest*,
                                                           v1::ResynchroniseResponse*) {
  auto answer = UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ComparisonService/Resynchronise"}, answer, [this, answer] {
    pairing_.resynchronise([answer](const absl::Status& status) { answer->Close(status); });
  });
  return answer.get();
}

}  // namespace zcluster::conntrack
