// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "agent/api/lifecycle.h"
#include "agent/bootstrap/bootstrap.h"
#include "agent/config/config.h"
#include "common/access/guard.h"
#include "agent/lifecycle/configuration.h"
#include "agent/lifecycle/configuration_service.h"
#include "agent/lifecycle/create.h"
#include "agent/lifecycle/forgotten.h"
#include "agent/lifecycle/joining.h"
#include "agent/lifecycle/leaving.h"
#include "agent/lifecycle/node.h"
#include "agent/lifecycle/paths.h"
#include "common/loop.h"
#include "common/scrubbing.h"

// How a node comes into a pair, is changed there, and leaves it.
namespace zcluster::lifecycle {

// The one who says what this node is: in no pair (then it takes joins), being made a member, a
// member, or being given back. Loop thread.
class Lifecycle : public api::Lifecycle, private PeerQuestions {
 public:
  // All outlive this object.
  Lifecycle(Loop& loop, Node& node, Paths paths, Guard& guard, AuditTrail& audit);
  ~Lifecycle() override;

  // Takes up what the files say: starts the member, or opens the bootstrap port; first undoes, or
  // goes on with, what a crash left in the middle. An error means that the agent cannot run:
  // INVALID_ARGUMENT if a file is wrong.
  absl::Status Start();
  // The agent stops; keepalived and the traffic go on. Nothing is called back after it.
  void Stop();

  // For the peer link's server of any member that is started.
  grpc::Service& peer_service() { return service_; }

  absl::StatusOr<v1::InterfacesResponse> Interfaces() override;
  void Probe(const v1::ProbeRequest& request, Answer<v1::ProbeResponse> answer) override;
  absl::StatusOr<v1::DescribeResponse> Describe() override;
  void Plan(const v1::PlanRequest& request, Answer<v1::PlanResponse> answer) override;
  void Create(v1::CreateRequest request, api::StepSink steps) override;
  void Apply(const v1::ApplyRequest& request, api::StepSink steps) override;
  void Unconfigure(const v1::UnconfigureRequest& request, api::StepSink steps) override;
  absl::StatusOr<v1::TokenResponse> Token(absl::Duration lifetime) override;
  absl::StatusOr<v1::FingerprintResponse> Fingerprint() override;
  absl::Status Unlock() override;
  void AddOperator(const v1::AddOperatorRequest& request,
                   Answer<v1::AddOperatorResponse> answer) override;
  absl::StatusOr<v1::ListOperatorsResponse> ListOperators() override;
  void RevokeOperator(const v1::RevokeOperatorRequest& request,
                      Answer<v1::RevokeOperatorResponse> answer) override;

 private:
  void Propose(const v1::ProposeRequest& request,
               PeerQuestions::Reply<v1::ProposeResponse> answer) override;
  void Commit(const v1::CommitRequest& request,
              PeerQuestions::Reply<v1::CommitResponse> answer) override;
  void Abandon(const v1::AbandonRequest& request,
               PeerQuestions::Reply<v1::AbandonResponse> answer) override;
  void Fetch(const v1::FetchRequest& request,
             PeerQuestions::Reply<v1::FetchResponse> answer) override;
  void Outcome(const v1::OutcomeRequest& request,
               PeerQuestions::Reply<v1::OutcomeResponse> answer) override;
  void Leave(const v1::LeaveRequest& request,
             PeerQuestions::Reply<v1::LeaveResponse> answer) override;

  // What this node is now.
  absl::Status BecomeMember();       // the files say so, and it does not run yet
  absl::Status HoldConfiguration();  // the member runs
  absl::Status BecomeFree();         // opens the bootstrap port
  // Makes this node bare again; what fails is tried again each ten seconds, and by Unconfigure.
  void GiveBack(std::function<void(const absl::Status&)> done);
  void AfterGiveBack(const absl::Status& given);
  // FAILED_PRECONDITION while something is being made or ended.
  absl::Status CheckIdle() const;
  absl::Status CheckMember() const;
  // The pair that is there already, if it is the one asked for.
  absl::Status AlreadyThere(const v1::CreateRequest& request) const;
  absl::StatusOr<v1::PairConfig> Wanted(const v1::Change& change) const;
  std::string Master() const;
  absl::StatusOr<v1::AddOperatorResponse> SignOperator(const v1::AddOperatorRequest& request) const;
  std::vector<std::string> ApiAddresses() const;

  Loop& loop_;
  Node& node_;
  const Paths paths_;
  config::AgentSettings self_;                       // as agent.yaml says, whether in a pair or not
  std::unique_ptr<bootstrap::Bootstrap> bootstrap_;  // null while in a pair
  // While in no pair: the time in which a password may come, by the local socket or the bootstrap
  // port, before anybody of ours sees it.
  absl::optional<Scrubbing> scrubbing_;
  Joining joining_;
  std::unique_ptr<class Create> create_;
  std::unique_ptr<Leaving> leaving_;
  std::unique_ptr<Configuration> configuration_;  // null unless a member runs
  std::unique_ptr<Forgotten> forgotten_;          // likewise
  ConfigurationService service_;
  bool giving_back_ = false;  // or to be tried again
  Loop::Registration retry_;
  bool stopped_ = false;
};

}  // namespace zcluster::lifecycle
