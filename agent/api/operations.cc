// SPDX-License-Identifier: Apache-2.0
#include "agent/api/operations.h"

#include <utility>

#include "agent/wire/wire.h"
#include "common/loop.h"

namespace zcluster::api {

v1::Step MakeStep(std::string what, absl::Duration at) {
  v1::Step step;
  step.set_what(std::move(what));
  *step.mutable_at() = wire::ToProto(at);
  return step;
}

void Operations::Ask(core::OperationAsked wish, absl::Time asked_at,
                     std::shared_ptr<StepStream> client) {
  if (events_ == nullptr) {
    client->Close(absl::FailedPreconditionError("the agent is starting; try again in a moment"));
    return;
  }
  wish.operation = core::OperationId{++last_id_};
  // Before the brain hears of it: it may answer within the call.
  running_.emplace(wish.operation, Operation{asked_at, std::move(client)});
  events_->Report(std::move(wish));
}

void Operations::Progress(const core::Progressed& step) {
  auto found = running_.find(step.operation);
  if (found == running_.end()) return;
  found->second.client->Write(MakeStep(step.what, Loop::Now() - found->second.asked_at));
}

void Operations::Finish(const core::Finished& end) {
  auto found = running_.find(end.operation);
  if (found == running_.end()) return;
  found->second.client->Close(end.status);
  running_.erase(found);
}

void Operations::Abandon() {
  events_ = nullptr;
  for (auto& [id, operation] : running_) {
    operation.client->Close(absl::UnavailableError(
        "the agent stopped before the operation ended; `zctl nodes` shows where it left the pair"));
  }
  running_.clear();
}

}  // namespace zcluster::api
