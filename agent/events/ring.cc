// SPDX-License-Identifier: Apache-2.0
#include "agent/events/ring.h"

namespace zcluster::events {

Span Ring::span() const {
  if (events_.empty()) return {};
  return {events_.front().number(), last_};
}

absl::Status Ring::Append(const std::vector<v1::Event>& events) {
  for (const v1::Event& event : events) {
    events_.push_back(event);
    events_.back().set_number(++last_);
    bytes_ += events_.back().ByteSizeLong();
    while (events_.size() > kMaxEvents || bytes_ > kMaxBytes) {
      bytes_ -= events_.front().ByteSizeLong();
      events_.pop_front();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::EventBatch> Ring::Read(uint64_t after, size_t limit) {
  v1::EventBatch batch;
  size_t bytes = 0;
  if (events_.empty() || after >= last_) return batch;
  const uint64_t first = events_.front().number();
  for (size_t i = after < first ? 0 : after - first + 1; i < events_.size(); ++i) {
    if (!AddIfItFits(events_[i], limit, bytes, batch)) break;
  }
  return batch;
}

}  // namespace zcluster::events
