// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/flow_service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/batch.h"

namespace zcluster::conntrack {
namespace {

void Write(absl::Time time, google::protobuf::Timestamp& message) {
  const timespec parts = absl::ToTimespec(time);
  message.set_seconds(parts.tv_sec);
  message.set_nanos(static_cast<int32_t>(parts.tv_nsec));
}

}  // namespace

FlowService::FlowService(Loop& loop, Guard& guard, Tap& tap, Subject subject)
    : loop_(loop), desk_(loop, guard), tap_(tap), subject_(std::move(subject)), jobs_(kMaxJobs) {}

grpc::ServerWriteReactor<v1::FlowsSeen>* FlowService::Watch(grpc::CallbackServerContext* context,
                                                            const v1::WatchFlowsRequest* request) {
  auto stream = Stream::Make();
  const uint32_t rate = request->max_per_second() == 0 ? kDefaultRate : request->max_per_second();
  desk_.Ask({*context, "zcluster.v1.FlowService/Watch"}, stream,
            [this, stream, rate] { Begin(stream, rate); });
  return stream.get();
}

void FlowService::Begin(std::shared_ptr<Stream> stream, uint32_t rate) {
  if (rate > kFastest) {
    return stream->Close(absl::InvalidArgumentError(
        absl::StrCat("max_per_second: ", rate, ": use 1 to ", kFastest)));
  }
  Settle();
  if (watchers_.size() >= kMaxWatchers) {
    return stream->Close(absl::ResourceExhaustedError(absl::StrCat(
        kMaxWatchers, " watch the flows of this node already; try again when one has ended")));
  }
  watchers_.push_back({std::move(stream), Allowance(rate), 0});
  Settle();
  if (tick_ == nullptr) tick_ = loop_.Every(kShowEvery, [this] { Show(); });
}

void FlowService::Settle() {
  std::erase_if(watchers_, [](const Watcher& watcher) { return !watcher.stream->open(); });
  uint32_t fastest = 0;
  for (const Watcher& watcher : watchers_) fastest = std::max(fastest, watcher.allowance.rate());
  tap_.SetRate(fastest);
  if (watchers_.empty()) tick_.reset();
}

void FlowService::Show() {
  Settle();
  if (watchers_.empty()) return;
  const uint64_t not_kept = tap_.Take(seen_);
  for (Watcher& watcher : watchers_) ShowTo(watcher, not_kept);
}

void FlowService::ShowTo(Watcher& watcher, uint64_t not_kept) const {
  watcher.skipped += not_kept;
  // It has not taken the message before the last one yet.
  const bool slow = watcher.stream->waiting() > 0;
  const size_t shown = slow ? 0 : watcher.allowance.Take(seen_.size(), Loop::Now());
  watcher.skipped += seen_.size() - shown;
  if (slow || (shown == 0 && watcher.skipped == 0)) return;
  v1::FlowsSeen message;
  message.set_node(subject_.node);
  message.set_skipped(std::exchange(watcher.skipped, 0));
  for (size_t i = 0; i < shown; ++i) {
    v1::SeenFlow& flow = *message.add_flows();
    Write(seen_[i].at, *flow.mutable_at());
    conntrack::Write(seen_[i].flow, *flow.mutable_flow());
  }
  watcher.stream->Write(std::move(message));
}

void FlowService::Stop() {
  desk_.Close();
  for (const Watcher& watcher : watchers_) {
    watcher.stream->Close(absl::UnavailableError("the agent is stopping"));
  }
  watchers_.clear();
  tick_.reset();
  tap_.SetRate(0);
  jobs_.Stop();
}

}  // namespace zcluster::conntrack
