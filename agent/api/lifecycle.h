// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "zcluster/v1/bootstrap.pb.h"
#include "zcluster/v1/cluster.pb.h"
#include "zcluster/v1/operator.pb.h"

namespace zcluster::api {

// Where an operation tells its steps, and how it ended. Both on the loop.
struct StepSink {
  std::function<void(std::string what)> step;
  std::function<void(const absl::Status& status)> end;  // once, last
};

// What ClusterService, NodeService and OperatorService ask of whoever creates, changes and ends the
// pair (agent/lifecycle). Loop thread. An operation goes on when nobody listens any more.
class Lifecycle {
 public:
  template <typename T>
  using Answer = std::function<void(absl::StatusOr<T>)>;  // once, on the loop; perhaps at once

  virtual ~Lifecycle() = default;

  virtual absl::StatusOr<v1::InterfacesResponse> Interfaces() = 0;
  virtual void Probe(const v1::ProbeRequest& request, Answer<v1::ProbeResponse> answer) = 0;
  virtual absl::StatusOr<v1::DescribeResponse> Describe() = 0;
  virtual void Plan(const v1::PlanRequest& request, Answer<v1::PlanResponse> answer) = 0;
  // The request may hold a password or a token, which is wiped when it is not needed any more.
  virtual void Create(v1::CreateRequest request, StepSink steps) = 0;
  virtual void Apply(const v1::ApplyRequest& request, StepSink steps) = 0;
  virtual void Unconfigure(const v1::UnconfigureRequest& request, StepSink steps) = 0;

  virtual absl::StatusOr<v1::TokenResponse> Token(absl::Duration lifetime) = 0;
  virtual absl::StatusOr<v1::FingerprintResponse> Fingerprint() = 0;
  virtual absl::Status Unlock() = 0;

  virtual void AddOperator(const v1::AddOperatorRequest& request,
                           Answer<v1::AddOperatorResponse> answer) = 0;
  virtual absl::StatusOr<v1::ListOperatorsResponse> ListOperators() = 0;
  virtual void RevokeOperator(const v1::RevokeOperatorRequest& request,
                              Answer<v1::RevokeOperatorResponse> answer) = 0;
};

}  // namespace zcluster::api
