// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "agent/api/lifecycle.h"

namespace zcluster::api {

// Stands for whoever makes and changes pairs: says yes to all at once, and remembers what it was
// asked.
class FakeLifecycle : public Lifecycle {
 public:
  absl::StatusOr<v1::InterfacesResponse> Interfaces() override {
    v1::InterfacesResponse response;
    response.add_addresses()->set_address("10.0.0.1/24");
    return response;
  }
  void Probe(const v1::ProbeRequest& request, Answer<v1::ProbeResponse> answer) override {
    Remember(request.remote());
    v1::ProbeResponse response;
    response.set_fingerprint("SHA256:probe");
    answer(response);
  }
  absl::StatusOr<v1::DescribeResponse> Describe() override {
    v1::DescribeResponse response;
    response.set_document("name: lab");
    return response;
  }
  void Plan(const v1::PlanRequest& request, Answer<v1::PlanResponse> answer) override {
    Remember(request.change().document());
    if (plan != nullptr) return plan(std::move(answer));
    v1::PlanResponse response;
    response.set_generation(7);
    answer(response);
  }
  void Create(v1::CreateRequest request, StepSink steps) override {
    Remember(request.has_token() ? request.token() : request.password());
    Run(std::move(steps));
  }
  void Apply(const v1::ApplyRequest& request, StepSink steps) override {
    Remember(request.change().preferred());
    Run(std::move(steps));
  }
  void Unconfigure(const v1::UnconfigureRequest&, StepSink steps) override {
    Run(std::move(steps));
  }

  absl::StatusOr<v1::TokenResponse> Token(absl::Duration lifetime) override {
    v1::TokenResponse response;
    response.set_token(absl::FormatDuration(lifetime));
    return response;
  }
  absl::StatusOr<v1::FingerprintResponse> Fingerprint() override {
    v1::FingerprintResponse response;
    response.set_fingerprint("SHA256:own");
    return response;
  }
  absl::Status Unlock() override { return absl::FailedPreconditionError("not locked"); }

  void AddOperator(const v1::AddOperatorRequest& request,
                   Answer<v1::AddOperatorResponse> answer) override {
    Remember(request.request());
    v1::AddOperatorResponse response;
    response.set_pair("lab");
    answer(response);
  }
  absl::StatusOr<v1::ListOperatorsResponse> ListOperators() override {
    v1::ListOperatorsResponse response;
    response.add_operators()->set_name("anna");
    return response;
  }
  void RevokeOperator(const v1::RevokeOperatorRequest& request,
                      Answer<v1::RevokeOperatorResponse> answer) override {
    answer(absl::NotFoundError(request.name() + ": no such operator"));
  }

  // What the latest request that has something to remember held.
  std::string asked() {
    absl::MutexLock lock(&mutex_);
    return asked_;
  }

  // What operations and plans do instead, if set; on the loop.
  std::function<void(StepSink)> operation;
  std::function<void(Answer<v1::PlanResponse>)> plan;

 private:
  void Remember(const std::string& what) {
    absl::MutexLock lock(&mutex_);
    asked_ = what;
  }
  void Run(StepSink steps) {
    if (operation != nullptr) return operation(std::move(steps));
    steps.step("done");
    steps.end(absl::OkStatus());
  }

  absl::Mutex mutex_;
  std::string asked_;
};

}  // namespace zcluster::api
