// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/credential.h"
#include "common/loop.h"
#include "zcluster/v1/enrolment.pb.h"

namespace grpc {
class Server;
class Service;
}  // namespace grpc

// EnrolmentService as gRPC carries it: bounds, and the way to the loop. No decisions.
namespace zcluster::access {
class UnaryAnswer;
}  // namespace zcluster::access

namespace zcluster::controller {

// One call, of a good shape.
struct EnrolCall {
  v1::EnrolRequest request;
  std::string caller_key;  // fingerprint of the key that the session was opened with
  std::string from;        // address, without port
};

// Answers calls, on the loop; `done` may be called later, once.
using EnrolDone = std::function<void(absl::StatusOr<v1::EnrolResponse>)>;
using AnswerEnrol = std::function<void(EnrolCall call, EnrolDone done)>;

// Where gRPC's threads hand over. Any thread, unless it says otherwise. Outlives the loop.
class EnrolGate {
 public:
  // Calls at once, from the first byte of their request to the last answer of whoever decides.
  static constexpr int kMostCalls = 64;

  EnrolGate(Loop& loop, AnswerEnrol answer);

  // Hands the call to the loop; `answer` is always given, even if that never runs again.
  void Hand(EnrolCall call, const std::shared_ptr<access::UnaryAnswer>& answer,
            v1::EnrolResponse* response) ABSL_LOCKS_EXCLUDED(mutex_);
  // Loop. Answers all who wait, and at once all who come.
  void Shut() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  bool Remember(const std::shared_ptr<access::UnaryAnswer>& answer) ABSL_LOCKS_EXCLUDED(mutex_);

  const Loop::Poster post_;
  const AnswerEnrol answer_;
  const std::shared_ptr<bool> there_;             // loop: whoever answers is there
  const std::shared_ptr<std::atomic<int>> busy_;  // outlives us in what is under way
  absl::Mutex mutex_;
  bool shut_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::weak_ptr<access::UnaryAnswer>> open_ ABSL_GUARDED_BY(mutex_);
};

std::unique_ptr<grpc::Service> MakeEnrolService(std::shared_ptr<EnrolGate> gate);

// A server that strangers may reach. `bound` is its port. The error names the address and why it
// cannot be had.
absl::StatusOr<std::unique_ptr<grpc::Server>> StartEnrolServer(grpc::Service& service,
                                                               const std::string& listen,
                                                               const tls::Credential& own,
                                                               int& bound);

}  // namespace zcluster::controller
