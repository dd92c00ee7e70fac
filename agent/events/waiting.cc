// SPDX-License-Identifier: Apache-2.0
#include "agent/events/waiting.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace zcluster::events {

void Waiting::Add(v1::Event event) {
  bytes_ += event.ByteSizeLong();
  events_.push_back(std::move(event));
  KeepBounds();
}

void Waiting::KeepBounds() {
  while (events_.size() > kMaxEvents || bytes_ > kMaxBytes) {
    bytes_ -= events_.front().ByteSizeLong();
    events_.pop_front();
    ++dropped_;
  }
}

std::vector<v1::Event> Waiting::Take(size_t most) {
  const auto end = events_.begin() + static_cast<std::ptrdiff_t>(std::min(most, events_.size()));
  std::vector<v1::Event> taken(std::make_move_iterator(events_.begin()),
                               std::make_move_iterator(end));
  events_.erase(events_.begin(), end);
  for (const v1::Event& event : taken) bytes_ -= event.ByteSizeLong();
  return taken;
}

void Waiting::PutBack(std::vector<v1::Event> events) {
  for (const v1::Event& event : events) bytes_ += event.ByteSizeLong();
  events_.insert(events_.begin(), std::make_move_iterator(events.begin()),
                 std::make_move_iterator(events.end()));
  KeepBounds();
}

}  // namespace zcluster::events
