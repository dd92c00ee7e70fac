// SPDX-License-Identifier: Apache-2.0
#include "controller/hub/acknowledgements.h"

#include <utility>

namespace zcluster::controller {
namespace {

// How often it is looked for what has waited long enough: often, so that each time it is little.
constexpr absl::Duration kLook = absl::Milliseconds(50);

}  // namespace

void Acknowledgements::Taken(const AgentId& agent, uint64_t number, size_t events) {
  Owed& owed = owed_[agent];
  owed.number = number;
  owed.events += events;
  if (++owed.batches >= kBatches || owed.events >= kEvents || within_ <= absl::ZeroDuration()) {
    owed_.erase(agent);
    return send_(agent, number);
  }
  if (owed.batches > 1) return;
  due_.push_back({Loop::Now() + within_, agent});
  if (timer_ == nullptr) timer_ = loop_.Every(kLook, [this] { SendDue(); });
}

void Acknowledgements::SendDue() {
  const absl::Time now = Loop::Now();
  while (!due_.empty() && due_.front().when <= now) {
    const Due due = std::move(due_.front());
    due_.pop_front();
    const auto owed = owed_.find(due.agent);
    // Told meanwhile, or gone. If it is owed anew, it is told a little early.
    if (owed == owed_.end()) continue;
    const uint64_t number = owed->second.number;
    owed_.erase(owed);
    send_(due.agent, number);
  }
  if (due_.empty()) timer_.reset();
}

}  // namespace zcluster::controller
