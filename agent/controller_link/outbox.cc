// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/outbox.h"

#include <utility>

#include "common/check.h"

namespace zcluster::controller_link {
namespace {

constexpr size_t kKinds = 4;

}  // namespace

void Outbox::AddEvents(v1::EventBatch events) {
  ZC_CHECK(events_.size() < kMaxEventBatches);
  events_.push_back(std::move(events));
}

void Outbox::AddProgress(v1::RequestProgress progress, Left left) {
  progress_.push_back({std::move(progress), std::move(left)});
}

void Outbox::AddFlows(v1::FlowsSeen flows) {
  if (flows_.size() + (flows_under_way_ ? 1 : 0) >= kMaxFlows) {
    skipped_ += flows.skipped() + static_cast<uint64_t>(flows.flows_size());
    return;
  }
  flows.set_skipped(flows.skipped() + std::exchange(skipped_, 0));
  flows_.push_back(std::move(flows));
}

bool Outbox::Take(size_t kind, v1::AgentMessage& message) {
  switch (kind) {
    case 0:
      if (progress_.empty()) return false;
      *message.mutable_progress() = std::move(progress_.front().progress);
      under_way_ = std::move(progress_.front().left);
      progress_.pop_front();
      return true;
    case 1:
      if (!report_) return false;
      *message.mutable_report() = *std::exchange(report_, absl::nullopt);
      return true;
    case 2:
      if (events_.empty()) return false;
      *message.mutable_events() = std::move(events_.front());
      events_.pop_front();
      return true;
    default:
      if (flows_.empty()) return false;
      *message.mutable_flows() = std::move(flows_.front());
      flows_.pop_front();
      flows_under_way_ = true;
      return true;
  }
}

absl::optional<v1::AgentMessage> Outbox::Next() {
  v1::AgentMessage message;
  if (!urgent_.empty()) {
    message = std::move(urgent_.front());
    urgent_.pop_front();
    return message;
  }
  for (size_t i = 0; i < kKinds; ++i) {
    const size_t kind = (turn_ + i) % kKinds;
    if (!Take(kind, message)) continue;
    turn_ = (kind + 1) % kKinds;
    return message;
  }
  return absl::nullopt;
}

void Outbox::Written() {
  flows_under_way_ = false;
  if (const Left left = std::exchange(under_way_, nullptr); left != nullptr) left();
}

void Outbox::Abandon() {
  std::deque<Progress> progress = std::exchange(progress_, {});
  urgent_.clear();
  report_.reset();
  events_.clear();
  flows_.clear();
  Written();
  for (const Progress& one : progress) {
    if (one.left != nullptr) one.left();
  }
}

}  // namespace zcluster::controller_link
