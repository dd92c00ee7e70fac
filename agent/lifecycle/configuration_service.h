// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "common/access/desk.h"
#include "common/loop.h"
#include "zcluster/v1/configuration.grpc.pb.h"

namespace zcluster::lifecycle {

// What the peer may ask, answered on the loop. An answer may come later, also on the loop.
class PeerQuestions {
 public:
  template <typename T>
  using Reply = std::function<void(absl::StatusOr<T>)>;
  virtual ~PeerQuestions() = default;
  virtual void Propose(const v1::ProposeRequest& request, Reply<v1::ProposeResponse> reply) = 0;
  virtual void Commit(const v1::CommitRequest& request, Reply<v1::CommitResponse> reply) = 0;
  virtual void Abandon(const v1::AbandonRequest& request, Reply<v1::AbandonResponse> reply) = 0;
  virtual void Fetch(const v1::FetchRequest& request, Reply<v1::FetchResponse> reply) = 0;
  virtual void Outcome(const v1::OutcomeRequest& request, Reply<v1::OutcomeResponse> reply) = 0;
  virtual void Leave(const v1::LeaveRequest& request, Reply<v1::LeaveResponse> reply) = 0;
};

// zcluster.v1.ConfigurationService, for the peer link's server, whose credentials let nobody but
// the peer through. Outlives every server that it is given to.
class ConfigurationService : public v1::ConfigurationService::CallbackService {
 public:
  // All outlive this object.
  ConfigurationService(Loop& loop, Guard& guard, PeerQuestions& answers);
  // Whoever waits is told that the agent stops.
  void Close() { desk_.Close(); }

 private:
  using Reactor = grpc::ServerUnaryReactor;
  using Context = grpc::CallbackServerContext;
  Reactor* Propose(Context*, const v1::ProposeRequest*, v1::ProposeResponse*) override;
  Reactor* Commit(Context*, const v1::CommitRequest*, v1::CommitResponse*) override;
  Reactor* Abandon(Context*, const v1::AbandonRequest*, v1::AbandonResponse*) override;
  Reactor* Fetch(Context*, const v1::FetchRequest*, v1::FetchResponse*) override;
  Reactor* Outcome(Context*, const v1::OutcomeRequest*, v1::OutcomeResponse*) override;
  Reactor* Leave(Context*, const v1::LeaveRequest*, v1::LeaveResponse*) override;

  template <typename Request, typename Response>
  Reactor* Ask(Context* context, absl::string_view method, const Request& request,
               Response* response,
               void (PeerQuestions::*question)(const Request&, PeerQuestions::Reply<Response>));

  PeerQuestions& answers_;
  access::Desk desk_;
};

}  // namespace zcluster::lifecycle
