// SPDX-License-Identifier: Apache-2.0
#include "agent/api/relay.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace zcluster::api {
namespace {

// A step is a short phrase; a peer that sends more is broken.
constexpr size_t kMaxStep = 1024;

// What to tell the client. What the master itself says stands; what gRPC says of the way to it is
// put in our words, and never as UNAVAILABLE: that would read as if the agent asked were away.
absl::Status Outcome(const grpc::Status& status, const std::string& master, bool any_step) {
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const bool lost = code == absl::StatusCode::kUnavailable || code == absl::StatusCode::kCancelled;
  if (!lost) return absl::Status(code, status.error_message());
  if (any_step) {
    return absl::UnknownError(absl::StrCat("lost ", master, " during the switchover (",
                                           status.error_message(),
                                           "); `zctl nodes` shows where it left the pair"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(master, " is master but does not answer: ", status.error_message()));
}

}  // namespace

std::shared_ptr<Relay> Relay::Switchover(std::shared_ptr<grpc::Channel> channel,
                                         const v1::SwitchoverRequest& request, std::string master,
                                         absl::Duration bound, std::shared_ptr<StepStream> client) {
  std::shared_ptr<Relay> relay(new Relay(std::move(channel), std::move(master), std::move(client)));
  relay->self_ = relay;
  relay->request_ = request;
  relay->context_.set_deadline(std::chrono::system_clock::now() +
                               absl::ToChronoMicroseconds(bound));
  relay->stub_->async()->Switchover(&relay->context_, &relay->request_, relay.get());
  relay->StartRead(&relay->step_);
  relay->StartCall();
  return relay;
}

Relay::Relay(std::shared_ptr<grpc::Channel> channel, std::string master,
             std::shared_ptr<StepStream> client)
    : stub_(v1::MaintenanceService::NewStub(std::move(channel))),
      master_(std::move(master)),
      client_(std::move(client)) {}

void Relay::OnReadDone(bool ok) {
  if (!ok) return;
  if (step_.what().size() > kMaxStep) {
    client_->Close(
        absl::InternalError(absl::StrCat(master_, " sent a step of ", step_.what().size(),
                                         " bytes; at most ", kMaxStep, " are allowed")));
    context_.TryCancel();
    return;
  }
  any_step_ = true;
  client_->Write(std::move(step_));
  step_.Clear();
  StartRead(&step_);
}

void Relay::OnDone(const grpc::Status& status) {
  client_->Close(Outcome(status, master_, any_step_));
  self_.reset();
}

}  // namespace zcluster::api
