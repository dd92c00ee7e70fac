// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "absl/types/optional.h"
#include "zcluster/v1/fleet_link.pb.h"

namespace zcluster::controller_link {

// What waits to be sent on one stream, each kind within its bound, so that a controller that takes
// nothing costs freshness and never memory. No kind starves another. Plain; loop thread.
class Outbox {
 public:
  // Called once: its message was sent, or never will be.
  using Left = std::function<void()>;

  // FlowsSeen not sent yet, the one under way too; others are dropped, and counted in `skipped`.
  static constexpr size_t kMaxFlows = 2;
  // Batches of events not sent yet. Whoever makes them stops before, at what is unacknowledged.
  static constexpr size_t kMaxEventBatches = 4;
  // Of requests. Each that runs has at most one here; the rest are refusals, and when they fill it,
  // nothing more is read of the controller.
  static constexpr size_t kMaxProgress = 64;

  // Hello, a certificate request: before all else. Whoever makes them makes one at a time.
  void AddUrgent(v1::AgentMessage message) { urgent_.push_back(std::move(message)); }
  // In place of one that still waits.
  void AddReport(v1::AgentReport report) { report_ = std::move(report); }
  void AddEvents(v1::EventBatch events);
  void AddProgress(v1::RequestProgress progress, Left left);
  void AddFlows(v1::FlowsSeen flows);

  // Whether the controller must not be given room to ask for more.
  bool Full() const { return progress_.size() >= kMaxProgress; }

  // The next message, which is now under way; none waits: nullopt. Not before Written().
  absl::optional<v1::AgentMessage> Next();
  // The one under way has been sent.
  void Written();
  // The stream is over: nothing of this will be sent.
  void Abandon();

 private:
  struct Progress {
    v1::RequestProgress progress;
    Left left;
  };
  bool Take(size_t kind, v1::AgentMessage& message);

  std::deque<v1::AgentMessage> urgent_;
  std::deque<Progress> progress_;
  absl::optional<v1::AgentReport> report_;
  std::deque<v1::EventBatch> events_;
  std::deque<v1::FlowsSeen> flows_;
  uint64_t skipped_ = 0;  // of flows, to be told with the next
  Left under_way_;        // of the message under way; null: nobody waits for it
  bool flows_under_way_ = false;
  size_t turn_ = 0;  // the kind that is asked first
};

}  // namespace zcluster::controller_link
