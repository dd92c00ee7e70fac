// SPDX-License-Identifier: Apache-2.0
#include "controller/api/events_source.h"

#include <algorithm>
#include <utility>

#include "common/status.h"

namespace zcluster::controller {
namespace {

// A client's gRPC takes 4 MiB at once; an event has at most some 33 KiB.
constexpr size_t kMaxMessage = 1 << 20;

}  // namespace

void EventsSource::Begin(Hub& hub, const std::shared_ptr<Sources>& sources, Store::Query history,
                         bool follow, std::shared_ptr<Stream> stream) {
  std::unique_ptr<EventsSource> source(
      new EventsSource(hub, std::move(history), follow, std::move(stream)));
  EventsSource* raw = source.get();
  if (!raw->stream_->Serve([raw] { raw->Pull(); }, Sources::Remover(sources, raw))) return;
  sources->Add(std::move(source));
  raw->Read();
}

EventsSource::EventsSource(Hub& hub, Store::Query query, bool follow,
                           std::shared_ptr<Stream> stream)
    : hub_(hub),
      query_(std::move(query)),
      pairs_(query_.pairs.begin(), query_.pairs.end()),
      follow_(follow),
      stream_(std::move(stream)) {
  // A follower that comes back goes on where it was, however much that is.
  query_.newest = !follow_ || query_.after == 0;
  if (!query_.newest) query_.limit = kChunk;
  if (follow) grown_ = hub.grown().Add([this] { Pull(); });
}

void EventsSource::Read() {
  reading_ = true;
  // What is on the disk now is seen by a read that is asked for now.
  hub_.store().Read(query_,
                    [this, alive = std::weak_ptr<char>(alive_), known = hub_.store().last_event()](
                        absl::StatusOr<std::vector<v1::FleetEvent>> events) {
                      if (!alive.expired()) Take(known, std::move(events));
                    });
}

void EventsSource::Take(uint64_t known, absl::StatusOr<std::vector<v1::FleetEvent>> events) {
  reading_ = false;
  if (!events.ok()) return stream_->Close(Annotate(events.status(), "events"));
  // Of what is new, a full chunk says that there may be more behind it.
  const bool all = query_.newest || events->size() < query_.limit;
  uint64_t told = all ? known : 0;
  if (!events->empty()) told = std::max(told, events->back().number());
  query_.after = std::max(query_.after, told);
  query_.newest = false;
  query_.limit = kChunk;
  begun_ = true;
  for (v1::FleetEvent& event : *events) waiting_.push_back(std::move(event));
  Pull();
}

bool EventsSource::Wants(const v1::FleetEvent& event) const {
  if (query_.warnings && !event.event().warning()) return false;
  if (!pairs_.empty() && !pairs_.contains(event.pair())) return false;
  return query_.since == absl::InfinitePast() ||
         absl::FromUnixSeconds(event.received().seconds()) +
                 absl::Nanoseconds(event.received().nanos()) >
             query_.since;
}

void EventsSource::TakeRecent() {
  const Recent& recent = hub_.recent();
  for (auto event = recent.After(query_.after); event != recent.end() && waiting_.size() < kChunk;
       ++event) {
    query_.after = event->number();
    if (Wants(*event)) waiting_.push_back(*event);
  }
}

void EventsSource::Pull() {
  if (!begun_ || reading_ || !stream_->CanTake()) return;
  if (waiting_.empty() && follow_ && hub_.recent().Covers(query_.after)) TakeRecent();
  if (waiting_.empty()) {
    if (!follow_) return stream_->Close(absl::OkStatus());
    if (!hub_.recent().Covers(query_.after) && hub_.store().last_event() > query_.after) Read();
    return;
  }
  v1::FleetEvents message;
  size_t bytes = 0;
  while (!waiting_.empty() && bytes < kMaxMessage &&
         static_cast<size_t>(message.events_size()) < kChunk) {
    bytes += waiting_.front().ByteSizeLong();
    *message.add_events() = std::move(waiting_.front());
    waiting_.pop_front();
  }
  stream_->Write(std::move(message));
}

}  // namespace zcluster::controller
