// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/loop.h"
#include "zcluster/v1/configuration.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace zcluster::lifecycle {

// Calls of the peer's ConfigurationService. Answers come on the loop, once each, and never after
// this object is gone. UNAVAILABLE if the peer is not reached; DEADLINE_EXCEEDED after five seconds
// (a commit and a leave, which wait for keepalived, after twenty).
class PeerCalls {
 public:
  template <typename T>
  using Answer = std::function<void(const absl::StatusOr<T>&)>;

  // `peer` may be null: then nobody is reached.
  PeerCalls(Loop& loop, std::shared_ptr<grpc::Channel> peer);
  ~PeerCalls();

  void Propose(const v1::ProposeRequest& request, Answer<v1::ProposeResponse> answer);
  void Commit(const v1::CommitRequest& request, Answer<v1::CommitResponse> answer);
  void Abandon(const v1::AbandonRequest& request, Answer<v1::AbandonResponse> answer);
  void Fetch(const v1::FetchRequest& request, Answer<v1::FetchResponse> answer);
  void Outcome(const v1::OutcomeRequest& request, Answer<v1::OutcomeResponse> answer);
  void Leave(const v1::LeaveRequest& request, Answer<v1::LeaveResponse> answer);

 private:
  template <typename Request, typename Response, typename Method>
  void Call(Method method, const Request& request, absl::Duration limit, Answer<Response> answer);

  struct Wire;
  const std::shared_ptr<Wire> wire_;  // shared with the calls under way
  const std::shared_ptr<grpc::Channel> peer_;
};

}  // namespace zcluster::lifecycle
