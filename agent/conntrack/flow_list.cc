// SPDX-License-Identifier: Apache-2.0
// FlowService/List and FlowService/Stats: the flows of this node's kernel, shown and counted.
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/batch.h"
#include "agent/conntrack/census.h"
#include "agent/conntrack/flow_service.h"
#include "agent/conntrack/own_table.h"
#include "agent/conntrack/selection.h"
#include "common/access/unary_answer.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

constexpr int kMaxPart = 512;
// Messages that wait for the client to take them: some 150 KB.
constexpr size_t kAhead = 4;
constexpr absl::Duration kPatience = absl::Seconds(30);

using Listed = access::MessageStream<v1::ListedFlows>;

// Shows what is selected, up to a number, and stops reading there.
class Listing {
 public:
  Listing(Listed& stream, Selection selection, uint32_t limit)
      : stream_(stream), selection_(std::move(selection)), left_(limit) {}

  // False: enough.
  bool Add(const Flow& flow, v1::FlowClass what) {
    if (over_ || !selection_.Has(flow, what)) return !over_;
    if (left_ == 0) {
      message_.set_more(true);
      over_ = true;
      return false;
    }
    --left_;
    v1::ListedFlow& listed = *message_.add_flows();
    Write(flow, *listed.mutable_flow());
    listed.set_flow_class(what);
    listed.set_timeout(flow.timeout);
    if (message_.flows_size() >= kMaxPart) Send();
    return !over_;
  }
  void End() {
    if (message_.more() || !message_.flows().empty()) Send();
  }
  bool over() const { return over_; }

 private:
  void Send() {
    if (!stream_.AwaitRoom(kAhead, kPatience)) {
      over_ = true;
      return;
    }
    stream_.Write(std::exchange(message_, {}));
  }

  Listed& stream_;
  const Selection selection_;
  uint32_t left_;
  bool over_ = false;
  v1::ListedFlows message_;
};

absl::Status List(Listed& stream, const Selection& selection, uint32_t limit, const Scope& scope,
                  const Halt& halt) {
  Listing listing(stream, selection, limit);
  const absl::Status walked = WalkTable(halt, [&](absl::Span<const Flow> part) {
    for (const Flow& flow : part) {
      if (!listing.Add(flow, ClassOf(scope, flow))) return false;
    }
    return true;
  });
  listing.End();
  return walked;
}

}  // namespace

grpc::ServerWriteReactor<v1::ListedFlows>* FlowService::List(grpc::CallbackServerContext* context,
                                                             const v1::ListFlowsRequest* request) {
  auto stream = Listed::Make();
  desk_.Ask({*context, "zcluster.v1.FlowService/List"}, stream,
            [this, stream, request = *request] { BeginList(stream, request); });
  return stream.get();
}

void FlowService::BeginList(const std::shared_ptr<Listed>& stream,
                            const v1::ListFlowsRequest& request) {
  const uint32_t limit = request.limit() == 0 ? kDefaultListed : request.limit();
  const absl::StatusOr<Selection> selection = Selection::Read(request.filter());
  if (!selection.ok()) return stream->Close(selection.status());
  if (limit > kMostListed) {
    return stream->Close(
        absl::InvalidArgumentError(absl::StrCat("limit: ", limit, ": use 1 to ", kMostListed)));
  }
  const absl::StatusOr<Scope> scope = subject_.pairing.alone();
  if (!scope.ok()) return stream->Close(scope.status());
  Start(stream, [stream, limit, selection = *selection, scope = *scope](Halt& halt) {
    const Halt::Waiting waiting(
        halt, [&] { stream->Close(absl::UnavailableError("the agent is stopping")); });
    stream->Close(conntrack::List(*stream, selection, limit, scope, halt));
  });
}

grpc::ServerUnaryReactor* FlowService::Stats(grpc::CallbackServerContext* context,
                                             const v1::FlowStatsRequest*, v1::FlowStats* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.FlowService/Stats"}, answer, [this, answer, response] {
    const absl::StatusOr<Scope> scope = subject_.pairing.alone();
    if (!scope.ok()) return answer->Close(scope.status());
    Start(answer, [this, answer, response, scope = *scope](Halt& halt) {
      absl::StatusOr<v1::FlowStats> stats = TakeCensus(scope, halt);
      if (!stats.ok()) return answer->Close(stats.status());
      // What replication does, the loop knows.
      subject_.mail->Post([this, answer, response, stats = *std::move(stats)]() mutable {
        stats.set_node(subject_.node);
        *stats.mutable_replication() = subject_.pairing.stats();
        answer->Give(absl::StatusOr<v1::FlowStats>(std::move(stats)), response);
      });
    });
  });
  return answer.get();
}

}  // namespace zcluster::conntrack
