// SPDX-License-Identifier: Apache-2.0
// FlowService/Top: who has the most connections, again and again.
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "agent/conntrack/census.h"
#include "agent/conntrack/flow_service.h"
#include "agent/conntrack/own_table.h"
#include "agent/conntrack/selection.h"
#include "agent/conntrack/top.h"
#include "common/status.h"

namespace zcluster::conntrack {
namespace {

constexpr absl::Duration kDefaultInterval = absl::Seconds(2);
constexpr absl::Duration kShortest = absl::Seconds(1);
constexpr absl::Duration kLongest = absl::Minutes(1);
// How soon it is seen that the client is gone.
constexpr absl::Duration kLookUp = absl::Milliseconds(200);
// A look that takes long is followed by a rest that is as long: at most half a core.
constexpr int kRest = 1;

using Looks = access::MessageStream<v1::TopFlows>;

// What was asked for, checked.
struct Wanted {
  Selection selection;
  v1::TopBy by;
  size_t limit;
  absl::Duration interval;
};

absl::StatusOr<Wanted> Check(const v1::TopFlowsRequest& request) {
  ZC_ASSIGN_OR_RETURN(const Selection selection, Selection::Read(request.filter()));
  const uint32_t limit = request.limit() == 0 ? FlowService::kDefaultRows : request.limit();
  if (limit > FlowService::kMostRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("limit: ", limit, ": use 1 to ", FlowService::kMostRows));
  }
  const absl::Duration interval = request.has_interval()
                                      ? absl::Seconds(request.interval().seconds()) +
                                            absl::Nanoseconds(request.interval().nanos())
                                      : kDefaultInterval;
  if (interval < kShortest || interval > kLongest)
    return absl::InvalidArgumentError("interval: use 1s to 60s");
  const v1::TopBy by = request.by() == v1::TOP_BY_UNSPECIFIED ? v1::TOP_BY_CLIENT : request.by();
  if (!v1::TopBy_IsValid(by)) return absl::InvalidArgumentError("by: no such grouping");
  return Wanted{selection, by, limit, interval};
}

// Waits; false: nobody looks any more, or the agent stops.
bool Rest(absl::Duration pause, const Looks& stream, Halt& halt) {
  absl::Notification halted;
  const Halt::Waiting waiting(halt, [&] { halted.Notify(); });
  for (const absl::Time end = Loop::Now() + pause; Loop::Now() < end && stream.open();) {
    if (halted.WaitForNotificationWithTimeout(std::min(kLookUp, end - Loop::Now()))) return false;
  }
  return stream.open();
}

absl::Status ShowTop(Looks& stream, const Wanted& wanted, const Scope& scope,
                     const std::string& node, Halt& halt) {
  Top top(wanted.by);
  absl::Time before = Loop::Now();
  for (bool goes_on = true; goes_on;) {
    const absl::Time begun = Loop::Now();
    ZC_RETURN_IF_ERROR(WalkTable(halt, [&](absl::Span<const Flow> part) {
      for (const Flow& flow : part) {
        if (wanted.selection.Has(flow, ClassOf(scope, flow))) top.Add(flow);
      }
      return stream.open();
    }));
    v1::TopFlows message = top.End(begun - std::exchange(before, begun), wanted.limit);
    message.set_node(node);
    // One that has not taken the last does without this one.
    if (stream.waiting() == 0) stream.Write(std::move(message));
    const absl::Duration took = Loop::Now() - begun;
    goes_on = Rest(std::max(wanted.interval - took, kRest * took), stream, halt);
  }
  return absl::UnavailableError("the agent is stopping");
}

}  // namespace

grpc::ServerWriteReactor<v1::TopFlows>* FlowService::Top(grpc::CallbackServerContext* context,
                                                         const v1::TopFlowsRequest* request) {
  auto stream = Looks::Make();
  desk_.Ask({*context, "zcluster.v1.FlowService/Top"}, stream,
            [this, stream, request = *request] { BeginTop(stream, request); });
  return stream.get();
}

void FlowService::BeginTop(const std::shared_ptr<Tops>& stream,
                           const v1::TopFlowsRequest& request) {
  const absl::StatusOr<Wanted> wanted = Check(request);
  if (!wanted.ok()) return stream->Close(wanted.status());
  const absl::StatusOr<Scope> scope = subject_.pairing.alone();
  if (!scope.ok()) return stream->Close(scope.status());
  Start(stream, [stream, wanted = *wanted, scope = *scope, node = subject_.node](Halt& halt) {
    stream->Close(ShowTop(*stream, wanted, scope, node, halt));
  });
}

}  // namespace zcluster::conntrack
