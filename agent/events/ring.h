// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>

#include "agent/events/kept.h"

namespace zcluster::events {

// Events in memory, for a run of the agent whose file is not for it to write. Never fails.
class Ring : public Kept {
 public:
  static constexpr size_t kMaxEvents = 10'000;
  static constexpr size_t kMaxBytes = 8 << 20;

  const std::string& id() const override { return id_; }
  Span span() const override;
  absl::Status Append(const std::vector<v1::Event>& events) override;
  absl::StatusOr<v1::EventBatch> Read(uint64_t after, size_t limit) override;

 private:
  const std::string id_ = MakeId();
  std::deque<v1::Event> events_;
  size_t bytes_ = 0;
  uint64_t last_ = 0;
};

}  // namespace zcluster::events
