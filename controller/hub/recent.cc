// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/recent.h"

#include <algorithm>
#include <utility>

namespace zcluster::controller {

void Recent::Add(std::vector<v1::FleetEvent> events) {
  for (v1::FleetEvent& event : events) {
    bytes_ += event.SpaceUsedLong();
    events_.push_back(std::move(event));
  }
  while (events_.size() > kMaxEvents || (bytes_ > kMaxBytes && !events_.empty())) {
    bytes_ -= events_.front().SpaceUsedLong();
    floor_ = events_.front().number();
    events_.pop_front();
  }
}

std::deque<v1::FleetEvent>::const_iterator Recent::After(uint64_t number) const {
  return std::upper_bound(
      events_.begin(), events_.end(), number,
      [](uint64_t wanted, const v1::FleetEvent& event) { return wanted < event.number(); });
}

}  // namespace zcluster::controller
