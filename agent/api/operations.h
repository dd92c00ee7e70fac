// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agent/adapter.h"
#include "agent/api/step_stream.h"
#include "agent/core/action.h"
#include "agent/core/event.h"

namespace zcluster::api {

// What operators asked of the brain and has not ended yet, with who waits for it. Loop thread.
class Operations {
 public:
  // Until this is called, whoever asks is refused. `events` must outlive this object.
  void Start(EventSink& events) { events_ = &events; }

  // Hands an operation to the brain, under a number of its own; its steps, timed from `asked_at`
  // (the loop's clock), and its end go to `client`.
  void Ask(core::OperationAsked wish, absl::Time asked_at, std::shared_ptr<StepStream> client);

  // Those of an unknown operation (the brain's own, say) go nowhere.
  void Progress(const core::Progressed& step);
  void Finish(const core::Finished& end);

  // Tells all who wait that nobody will tell them the outcome.
  void Abandon();

 private:
  struct Operation {
    absl::Time asked_at;
    std::shared_ptr<StepStream> client;
  };

  EventSink* events_ = nullptr;
  uint64_t last_id_ = 0;  // 0 is the brain's own
  // The brain takes one operation at a time and refuses others at once, so these are few.
  std::map<core::OperationId, Operation> running_;
};

// A step that was done `at` after the operation was asked for.
v1::Step MakeStep(std::string what, absl::Duration at);

}  // namespace zcluster::api
