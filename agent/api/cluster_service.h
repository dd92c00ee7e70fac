// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <vector>

#include "agent/api/board.h"
#include "agent/api/event_pages.h"
#include "agent/api/lifecycle.h"
#include "agent/api/nodes_stream.h"
#include "agent/api/reload.h"
#include "common/access/desk.h"
#include "zcluster/v1/cluster.grpc.pb.h"

namespace zcluster::api {

// Answers from the board, on the loop: an agent whose loop hangs does not answer, rather than show
// what was. The life of the pair it hands to `lifecycle`.
class ClusterService : public v1::ClusterService::CallbackService {
 public:
  // References must outlive this object; `peer` leads to the other node's PeerClusterService, null:
  // nobody is asked.
  ClusterService(access::Desk& desk, const Board& board, Lifecycle& lifecycle,
                 const EventPages& events, std::shared_ptr<grpc::Channel> peer);

  // The board shows something else: those who watch see it. Loop thread.
  void Changed();
  // Ends what lasts. Loop thread, or after the loop has ended.
  void Stop();

 private:
  grpc::ServerUnaryReactor* Nodes(grpc::CallbackServerContext* context,
                                  const v1::NodesRequest* request,
                                  v1::NodesResponse* response) override;
  grpc::ServerWriteReactor<v1::NodesResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::NodesRequest* request) override;
  grpc::ServerUnaryReactor* Reload(grpc::CallbackServerContext* context,
                                   const v1::ReloadRequest* request,
                                   v1::NodesResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override;
  grpc::ServerUnaryReactor* Events(grpc::CallbackServerContext* context,
                                   const v1::EventsRequest* request,
                                   v1::EventsPage* response) override;
  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context,
                                     const v1::DescribeRequest* request,
                                     v1::DescribeResponse* response) override;
  grpc::ServerUnaryReactor* Interfaces(grpc::CallbackServerContext* context,
                                       const v1::InterfacesRequest* request,
                                       v1::InterfacesResponse* response) override;
  grpc::ServerUnaryReactor* Probe(grpc::CallbackServerContext* context,
                                  const v1::ProbeRequest* request,
                                  v1::ProbeResponse* response) override;
  grpc::ServerWriteReactor<v1::Step>* Create(grpc::CallbackServerContext* context,
                                             const v1::CreateRequest* request) override;
  grpc::ServerUnaryReactor* Plan(grpc::CallbackServerContext* context,
                                 const v1::PlanRequest* request,
                                 v1::PlanResponse* response) override;
  grpc::ServerWriteReactor<v1::Step>* Apply(grpc::CallbackServerContext* context,
                                            const v1::ApplyRequest* request) override;
  grpc::ServerWriteReactor<v1::Step>* Unconfigure(grpc::CallbackServerContext* context,
                                                  const v1::UnconfigureRequest* request) override;
  void Admit(std::shared_ptr<NodesStream> watcher);

  access::Desk& desk_;
  const Board& board_;
  Lifecycle& lifecycle_;
  const EventPages& events_;
  const std::shared_ptr<grpc::Channel> peer_;
  // Loop thread.
  std::vector<std::shared_ptr<NodesStream>> watchers_;
  std::vector<std::weak_ptr<api::Reload>> reloads_;
};

// For the peer, which asks how this node is, and what happened here: Nodes, Events. All else is
// UNIMPLEMENTED there.
class PeerClusterService : public v1::ClusterService::CallbackService {
 public:
  // All must outlive this object.
  PeerClusterService(access::Desk& desk, const Board& board, const EventPages& events)
      : desk_(desk), board_(board), events_(events) {}

 private:
  grpc::ServerUnaryReactor* Nodes(grpc::CallbackServerContext* context,
                                  const v1::NodesRequest* request,
                                  v1::NodesResponse* response) override;
  grpc::ServerUnaryReactor* Events(grpc::CallbackServerContext* context,
                                   const v1::EventsRequest* request,
                                   v1::EventsPage* response) override;

  access::Desk& desk_;
  const Board& board_;
  const EventPages& events_;
};

}  // namespace zcluster::api
