// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "zcluster/v1/bootstrap.grpc.pb.h"
#include "zcluster/v1/cluster.grpc.pb.h"
#include "zcluster/v1/command.grpc.pb.h"
#include "zcluster/v1/conflicts.grpc.pb.h"
#include "zcluster/v1/flows.grpc.pb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"
#include "zcluster/v1/operator.grpc.pb.h"

namespace zcluster::ctl {

// An agent that says what a test tells it to, on a socket in a directory of its own, and, given
// credentials, on a port of 127.0.0.1 too.
class FakeAgent {
 public:
  explicit FakeAgent(std::shared_ptr<grpc::ServerCredentials> remote = nullptr)
      : remote_(std::move(remote)) {
    char directory[] = "/tmp/zt-ctl-XXXXXX";
    directory_ = mkdtemp(directory);
    socket_ = directory_ + "/agent.sock";
    Begin();
  }
  ~FakeAgent() {
    End();
    unlink(socket_.c_str());
    rmdir(directory_.c_str());
  }

  // As a restart does it; the socket lies there all the time, as a dead agent leaves it.
  void Begin() {
    released_ = std::make_unique<absl::Notification>();
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket_, grpc::InsecureServerCredentials());
    if (remote_ != nullptr) builder.AddListeningPort("127.0.0.1:0", remote_, &port_);
    builder.RegisterService(&cluster_);
    builder.RegisterService(&maintenance_);
    builder.RegisterService(&conflict_);
    builder.RegisterService(&command_);
    builder.RegisterService(&node_);
    builder.RegisterService(&operator_);
    builder.RegisterService(&flow_);
    server_ = builder.BuildAndStart();
  }
  void End() {
    if (server_ == nullptr) return;
    released_->Notify();
    server_->Shutdown(std::chrono::system_clock::now());
    server_ = nullptr;
  }

  const std::string& socket() const { return socket_; }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  // What it answers.
  v1::GetStatusResponse status;
  std::vector<v1::Step> steps;
  std::vector<v1::RunEvent> events;
  std::vector<v1::Event> journal;       // of this node; guarded by Happen() while it is followed
  std::vector<v1::Event> peer_journal;  // of the other one, "node2"
  int peer_ahead_ms = 0;                // its clock
  v1::ListCommandsResponse commands;
  grpc::Status end = grpc::Status::OK;       // of every call
  std::map<std::string, grpc::Status> ends;  // of the calls of that name, instead
  bool hangs = false;                        // answers only when it is destroyed
  v1::DescribeResponse describe;
  v1::InterfacesResponse interfaces;
  v1::PlanResponse plan;
  std::string fingerprint;
  v1::TokenResponse token;
  std::function<v1::AddOperatorResponse(const v1::AddOperatorRequest&)> admit;
  v1::ListOperatorsResponse operators;
  v1::AuditResponse audit;
  std::deque<v1::VerifiedFlows> verified;  // one comparison after the other
  v1::ListedFlows listed;
  v1::FlowStats flow_stats;
  std::vector<v1::TopFlows> tops;

  // What it was asked.
  std::vector<std::string> calls;  // all of them, but Watch
  std::string asked;
  bool force = false;
  v1::EnterRequest entered;
  v1::FreezeRequest frozen;
  v1::ListConflictsResponse conflicts;
  v1::SwitchoverRequest switchover;
  v1::RunRequest run;
  v1::CreateRequest create;
  v1::ProbeRequest probe;
  v1::PlanRequest planned;
  v1::ApplyRequest applied;
  v1::UnconfigureRequest unconfigured;
  v1::TokenRequest token_request;
  v1::RevokeOperatorRequest revoked;
  v1::AuditRequest audit_request;
  v1::VerifyFlowsRequest verify_request;
  v1::ListFlowsRequest list_request;
  v1::TopFlowsRequest top_request;

  // Whoever watches is told of the nodes as they are now.
  void Publish() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    *published_.emplace_back().mutable_nodes() = status.nodes();
  }

  void AddNode(bool local, v1::Role role, const std::string& ip, const std::string& hostname,
               v1::Status colour, const std::string& message) {
    v1::Node& node = *status.add_nodes();
    node.set_local(local);
    node.set_role(role);
    node.set_ip(ip);
    node.set_hostname(hostname);
    node.set_status(colour);
    node.set_message(message);
  }
  // Something happened on this node, or on the other one; by its own clock, in ms since 1970.
  void Happen(bool on_peer, int64_t at, const std::string& name,
              const std::vector<std::pair<std::string, std::string>>& fields = {})
      ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    std::vector<v1::Event>& kept = on_peer ? peer_journal : journal;
    v1::Event& event = kept.emplace_back();
    event.set_number(kept.size());
    event.set_name(name);
    event.mutable_at()->set_seconds(at / 1000);
    event.mutable_at()->set_nanos(static_cast<int32_t>(at % 1000 * 1000000));
    for (const auto& [field, value] : fields) {
      v1::Event::Field& added = *event.add_fields();
      added.set_name(field);
      added.set_value(value);
    }
  }
  void AddStep(const std::string& what, int milliseconds) {
    v1::Step step;
    step.set_what(what);
    step.mutable_at()->set_seconds(milliseconds / 1000);
    step.mutable_at()->set_nanos(milliseconds % 1000 * 1000000);
    steps.push_back(step);
  }
  v1::RunEvent& AddEvent(const std::string& node) {
    events.emplace_back().set_node(node);
    return events.back();
  }
  void AddResult(const std::string& node, int exit_code, int milliseconds,
                 const std::string& problem = "") {
    v1::RunResult& result = *AddEvent(node).mutable_result();
    result.set_exit_code(exit_code);
    result.mutable_took()->set_nanos(milliseconds * 1000000);
    result.set_problem(problem);
  }

 private:
  grpc::Status End(const std::string& call) {
    calls.push_back(call);
    if (hangs) released_->WaitForNotification();
    return ends.count(call) > 0 ? ends[call] : end;
  }
  // Streams the steps, and how it ended.
  grpc::Status Tell(const std::string& call, grpc::ServerWriter<v1::Step>* writer) {
    for (const v1::Step& step : steps) writer->Write(step);
    return End(call);
  }
  grpc::Status Tell(const std::string& verb, bool forced, grpc::ServerWriter<v1::Step>* writer) {
    asked = verb;
    force = forced;
    return Tell(verb, writer);
  }

  struct Cluster : v1::ClusterService::Service {
    explicit Cluster(FakeAgent& a) : agent(a) {}
    grpc::Status Nodes(grpc::ServerContext*, const v1::NodesRequest*,
                       v1::NodesResponse* response) override {
      *response->mutable_nodes() = agent.status.nodes();
      return agent.End("Nodes");
    }
    grpc::Status Reload(grpc::ServerContext*, const v1::ReloadRequest*,
                        v1::NodesResponse* response) override {
      *response->mutable_nodes() = agent.status.nodes();
      return agent.End("Reload");
    }
    grpc::Status Watch(grpc::ServerContext* context, const v1::NodesRequest*,
                       grpc::ServerWriter<v1::NodesResponse>* writer) override {
      return agent.Show(context, writer);
    }
    grpc::Status Events(grpc::ServerContext*, const v1::EventsRequest* request,
                        v1::EventsPage* page) override {
      return agent.Page(*request, page);
    }
    grpc::Status Describe(grpc::ServerContext*, const v1::DescribeRequest*,
                          v1::DescribeResponse* response) override {
      *response = agent.describe;
      return agent.End("Describe");
    }
    grpc::Status Interfaces(grpc::ServerContext*, const v1::InterfacesRequest*,
                            v1::InterfacesResponse* response) override {
      *response = agent.interfaces;
      return agent.End("Interfaces");
    }
    grpc::Status Probe(grpc::ServerContext*, const v1::ProbeRequest* request,
                       v1::ProbeResponse* response) override {
      agent.probe = *request;
      response->set_fingerprint(agent.fingerprint);
      return agent.End("Probe");
    }
    grpc::Status Create(grpc::ServerContext*, const v1::CreateRequest* request,
                        grpc::ServerWriter<v1::Step>* writer) override {
      agent.create = *request;
      return agent.Tell("Create", writer);
    }
    grpc::Status Plan(grpc::ServerContext*, const v1::PlanRequest* request,
                      v1::PlanResponse* response) override {
      agent.planned = *request;
      *response = agent.plan;
      return agent.End("Plan");
    }
    grpc::Status Apply(grpc::ServerContext*, const v1::ApplyRequest* request,
                       grpc::ServerWriter<v1::Step>* writer) override {
      agent.applied = *request;
      return agent.Tell("Apply", writer);
    }
    grpc::Status Unconfigure(grpc::ServerContext*, const v1::UnconfigureRequest* request,
                             grpc::ServerWriter<v1::Step>* writer) override {
      agent.unconfigured = *request;
      return agent.Tell("Unconfigure", writer);
    }
    grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                           v1::GetStatusResponse* response) override {
      *response = agent.status;
      return agent.End("GetStatus");
    }
    FakeAgent& agent;
  };
  struct Conflict : v1::ConflictService::Service {
    explicit Conflict(FakeAgent& a) : agent(a) {}
    grpc::Status List(grpc::ServerContext*, const v1::ListConflictsRequest*,
                      v1::ListConflictsResponse* response) override {
      *response = agent.conflicts;
      return agent.End("ListConflicts");
    }
    grpc::Status Drop(grpc::ServerContext*, const v1::DropConflictRequest* request,
                      v1::DropConflictResponse*) override {
      agent.conflicts.clear_conflicts();
      return agent.End("DropConflict " + request->id());
    }
    FakeAgent& agent;
  };
  struct Maintenance : v1::MaintenanceService::Service {
    explicit Maintenance(FakeAgent& a) : agent(a) {}
    grpc::Status Switchover(grpc::ServerContext*, const v1::SwitchoverRequest* request,
                            grpc::ServerWriter<v1::Step>* writer) override {
      agent.switchover = *request;
      return agent.Tell("switchover", request->force(), writer);
    }
    grpc::Status Enter(grpc::ServerContext*, const v1::EnterRequest* request,
                       grpc::ServerWriter<v1::Step>* writer) override {
      agent.entered = *request;
      return agent.Tell("enter", request->force(), writer);
    }
    grpc::Status Start(grpc::ServerContext*, const v1::StartRequest* request,
                       grpc::ServerWriter<v1::Step>* writer) override {
      return agent.Tell("start", request->force(), writer);
    }
    grpc::Status Freeze(grpc::ServerContext*, const v1::FreezeRequest* request,
                        grpc::ServerWriter<v1::Step>* writer) override {
      agent.frozen = *request;
      return agent.Tell("freeze", /*force=*/false, writer);
    }
    grpc::Status Unfreeze(grpc::ServerContext*, const v1::UnfreezeRequest*,
                          grpc::ServerWriter<v1::Step>* writer) override {
      return agent.Tell("unfreeze", /*force=*/false, writer);
    }
    FakeAgent& agent;
  };
  struct Command : v1::CommandService::Service {
    explicit Command(FakeAgent& a) : agent(a) {}
    grpc::Status Run(grpc::ServerContext*, const v1::RunRequest* request,
                     grpc::ServerWriter<v1::RunEvent>* writer) override {
      agent.run = *request;
      for (const v1::RunEvent& event : agent.events) writer->Write(event);
      return agent.End("Run");
    }
    grpc::Status List(grpc::ServerContext*, const v1::ListCommandsRequest*,
                      v1::ListCommandsResponse* response) override {
      *response = agent.commands;
      return agent.End("List");
    }
    FakeAgent& agent;
  };

  struct Node : v1::NodeService::Service {
    explicit Node(FakeAgent& a) : agent(a) {}
    grpc::Status Token(grpc::ServerContext*, const v1::TokenRequest* request,
                       v1::TokenResponse* response) override {
      agent.token_request = *request;
      *response = agent.token;
      return agent.End("Token");
    }
    grpc::Status Fingerprint(grpc::ServerContext*, const v1::FingerprintRequest*,
                             v1::FingerprintResponse* response) override {
      response->set_fingerprint(agent.fingerprint);
      return agent.End("Fingerprint");
    }
    grpc::Status Unlock(grpc::ServerContext*, const v1::UnlockRequest*,
                        v1::UnlockResponse*) override {
      return agent.End("Unlock");
    }
    FakeAgent& agent;
  };
  struct Operator : v1::OperatorService::Service {
    explicit Operator(FakeAgent& a) : agent(a) {}
    grpc::Status Add(grpc::ServerContext*, const v1::AddOperatorRequest* request,
                     v1::AddOperatorResponse* response) override {
      *response = agent.admit(*request);
      return agent.End("Add");
    }
    grpc::Status List(grpc::ServerContext*, const v1::ListOperatorsRequest*,
                      v1::ListOperatorsResponse* response) override {
      *response = agent.operators;
      return agent.End("ListOperators");
    }
    grpc::Status Revoke(grpc::ServerContext*, const v1::RevokeOperatorRequest* request,
                        v1::RevokeOperatorResponse*) override {
      agent.revoked = *request;
      return agent.End("Revoke");
    }
    grpc::Status Audit(grpc::ServerContext*, const v1::AuditRequest* request,
                       v1::AuditResponse* response) override {
      agent.audit_request = *request;
      *response = agent.audit;
      return agent.End("Audit");
    }
    FakeAgent& agent;
  };

  struct Flows : v1::FlowService::Service {
    explicit Flows(FakeAgent& a) : agent(a) {}
    grpc::Status Verify(grpc::ServerContext*, const v1::VerifyFlowsRequest* request,
                        grpc::ServerWriter<v1::VerifyFlowsProgress>* writer) override {
      agent.verify_request = *request;
      const grpc::Status end = agent.End("VerifyFlows");
      if (!end.ok()) return end;
      v1::VerifyFlowsProgress progress;
      progress.set_step("reading the master's table");
      writer->Write(progress);
      progress.clear_step();
      *progress.mutable_result() = agent.verified.front();
      agent.verified.pop_front();
      writer->Write(progress);
      return end;
    }
    grpc::Status List(grpc::ServerContext*, const v1::ListFlowsRequest* request,
                      grpc::ServerWriter<v1::ListedFlows>* writer) override {
      agent.list_request = *request;
      writer->Write(agent.listed);
      return agent.End("ListFlows");
    }
    grpc::Status Stats(grpc::ServerContext*, const v1::FlowStatsRequest*,
                       v1::FlowStats* response) override {
      *response = agent.flow_stats;
      return agent.End("FlowStats");
    }
    grpc::Status Top(grpc::ServerContext* context, const v1::TopFlowsRequest* request,
                     grpc::ServerWriter<v1::TopFlows>* writer) override {
      agent.top_request = *request;
      for (const v1::TopFlows& top : agent.tops) writer->Write(top);
      while (!agent.tops.empty() && !context->IsCancelled() &&
             !agent.released_->WaitForNotificationWithTimeout(absl::Milliseconds(5))) {
      }
      return agent.End("TopFlows");
    }
    grpc::Status Repair(grpc::ServerContext*, const v1::RepairFlowsRequest*,
                        v1::RepairFlowsResponse*) override {
      return agent.End("RepairFlows");
    }
    FakeAgent& agent;
  };

  grpc::Status Page(const v1::EventsRequest& request, v1::EventsPage* page)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    const std::string call = request.peer() ? "PeerEvents" : "Events";
    if (ends.count(call) > 0) return ends[call];
    absl::MutexLock lock(&mutex_);
    const std::vector<v1::Event>& kept = request.peer() ? peer_journal : journal;
    page->set_node(request.peer() ? "node2" : "node1");
    page->set_journal(request.peer() ? "b" : "a");
    page->set_first(kept.empty() ? 0 : 1);
    page->set_last(kept.size());
    if (request.peer()) {
      page->mutable_clock_ahead()->set_seconds(peer_ahead_ms / 1000);
      page->mutable_clock_ahead()->set_nanos(peer_ahead_ms % 1000 * 1000000);
      page->mutable_clock_uncertainty()->set_nanos(250000);
    }
    for (const v1::Event& event : kept) {
      if (event.number() <= request.after()) continue;
      if (page->events_size() >= static_cast<int>(request.limit())) break;
      *page->add_events() = event;
    }
    return grpc::Status::OK;
  }

  // All that was published, and what will be, until somebody has had enough.
  grpc::Status Show(grpc::ServerContext* context, grpc::ServerWriter<v1::NodesResponse>* writer)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    if (ends.count("Watch") > 0) return ends["Watch"];
    for (size_t shown = 0; !released_->WaitForNotificationWithTimeout(absl::Milliseconds(5));) {
      if (context->IsCancelled()) return grpc::Status::CANCELLED;
      absl::MutexLock lock(&mutex_);
      while (shown < published_.size()) writer->Write(published_[shown++]);
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "ends");
  }

  const std::shared_ptr<grpc::ServerCredentials> remote_;
  int port_ = 0;
  std::unique_ptr<absl::Notification> released_;
  std::string directory_;
  std::string socket_;
  absl::Mutex mutex_;
  std::deque<v1::NodesResponse> published_ ABSL_GUARDED_BY(mutex_);
  Cluster cluster_{*this};
  Maintenance maintenance_{*this};
  Conflict conflict_{*this};
  Command command_{*this};
  Node node_{*this};
  Operator operator_{*this};
  Flows flow_{*this};
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace zcluster::ctl
