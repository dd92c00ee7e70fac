// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "zcluster/v1/cluster.grpc.pb.h"
#include "zcluster/v1/command.grpc.pb.h"
#include "zcluster/v1/maintenance.grpc.pb.h"

namespace zcluster::ctl {

// An agent that says what a test tells it to, on a socket in a directory of its own.
class FakeAgent {
 public:
  FakeAgent() {
    char directory[] = "/tmp/zt-ctl-XXXXXX";
    directory_ = mkdtemp(directory);
    socket_ = directory_ + "/agent.sock";
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket_, grpc::InsecureServerCredentials());
    builder.RegisterService(&cluster_);
    builder.RegisterService(&maintenance_);
    builder.RegisterService(&command_);
    server_ = builder.BuildAndStart();
  }
  ~FakeAgent() {
    released_.Notify();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
    unlink(socket_.c_str());
    rmdir(directory_.c_str());
  }

  const std::string& socket() const { return socket_; }

  // What it answers.
  v1::GetStatusResponse status;
  std::vector<v1::Step> steps;
  std::vector<v1::RunEvent> events;
  v1::ListCommandsResponse commands;
  grpc::Status end = grpc::Status::OK;  // of every call
  bool hangs = false;                   // answers only when it is destroyed

  // What it was asked.
  std::string asked;
  bool force = false;
  v1::RunRequest run;

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
  void AddStep(const std::string& what, int milliseconds) {
    v1::Step step;
    step.set_what(what);
    step.mutable_at()->set_nanos(milliseconds * 1000000);
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
  grpc::Status End() {
    if (hangs) released_.WaitForNotification();
    return end;
  }
  grpc::Status Tell(const std::string& verb, bool forced, grpc::ServerWriter<v1::Step>* writer) {
    asked = verb;
    force = forced;
    for (const v1::Step& step : steps) writer->Write(step);
    return End();
  }

  struct Cluster : v1::ClusterService::Service {
    explicit Cluster(FakeAgent& a) : agent(a) {}
    grpc::Status Nodes(grpc::ServerContext*, const v1::NodesRequest*,
                       v1::NodesResponse* response) override {
      *response->mutable_nodes() = agent.status.nodes();
      return agent.End();
    }
    grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                           v1::GetStatusResponse* response) override {
      *response = agent.status;
      return agent.End();
    }
    FakeAgent& agent;
  };
  struct Maintenance : v1::MaintenanceService::Service {
    explicit Maintenance(FakeAgent& a) : agent(a) {}
    grpc::Status Switchover(grpc::ServerContext*, const v1::SwitchoverRequest* request,
                            grpc::ServerWriter<v1::Step>* writer) override {
      return agent.Tell("switchover", request->force(), writer);
    }
    grpc::Status Enter(grpc::ServerContext*, const v1::EnterRequest* request,
                       grpc::ServerWriter<v1::Step>* writer) override {
      return agent.Tell("enter", request->force(), writer);
    }
    grpc::Status Start(grpc::ServerContext*, const v1::StartRequest* request,
                       grpc::ServerWriter<v1::Step>* writer) override {
      return agent.Tell("start", request->force(), writer);
    }
    FakeAgent& agent;
  };
  struct Command : v1::CommandService::Service {
    explicit Command(FakeAgent& a) : agent(a) {}
    grpc::Status Run(grpc::ServerContext*, const v1::RunRequest* request,
                     grpc::ServerWriter<v1::RunEvent>* writer) override {
      agent.run = *request;
      for (const v1::RunEvent& event : agent.events) writer->Write(event);
      return agent.End();
    }
    grpc::Status List(grpc::ServerContext*, const v1::ListCommandsRequest*,
                      v1::ListCommandsResponse* response) override {
      *response = agent.commands;
      return agent.End();
    }
    FakeAgent& agent;
  };

  absl::Notification released_;
  std::string directory_;
  std::string socket_;
  Cluster cluster_{*this};
  Maintenance maintenance_{*this};
  Command command_{*this};
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace zcluster::ctl
