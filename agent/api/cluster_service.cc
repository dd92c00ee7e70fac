// SPDX-License-Identifier: Apache-2.0
#include "agent/api/cluster_service.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "agent/api/in_words.h"
#include "agent/api/operations.h"
#include "agent/api/step_stream.h"
#include "common/access/unary_answer.h"
#include "common/loop.h"
#include "common/pki.h"

namespace zcluster::api {
namespace {

// Enough for every terminal and dashboard that watches one pair; a script gone wild gets no more.
constexpr size_t kMaxWatchers = 64;

// A create request holds secrets. It is taken over from gRPC, which would leave its own copy in
// freed memory, and is wiped here if nobody takes it from us.
std::shared_ptr<v1::CreateRequest> TakeOver(const v1::CreateRequest* request) {
  std::shared_ptr<v1::CreateRequest> mine(new v1::CreateRequest, [](v1::CreateRequest* dying) {
    if (dying->has_password()) pki::Wipe(*dying->mutable_password());
    if (dying->has_token()) pki::Wipe(*dying->mutable_token());
    delete dying;
  });
  // gRPC made it for this call alone, and reads it no more.
  mine->Swap(const_cast<v1::CreateRequest*>(request));
  return mine;
}

// Where an operation's steps and end go: to the client's stream.
StepSink Towards(const std::shared_ptr<StepStream>& client, absl::Time asked_at) {
  return {[client, asked_at](std::string what) {
            client->Write(MakeStep(std::move(what), Loop::Now() - asked_at));
          },
          [client](const absl::Status& status) { client->Close(status); }};
}

}  // namespace

ClusterService::ClusterService(access::Desk& desk, const Board& board, Lifecycle& lifecycle,
                               const EventPages& events, std::shared_ptr<grpc::Channel> peer)
    : desk_(desk), board_(board), lifecycle_(lifecycle), events_(events), peer_(std::move(peer)) {}

void ClusterService::Changed() {
  watchers_.erase(std::remove_if(watchers_.begin(), watchers_.end(),
                                 [](const auto& watcher) { return !watcher->open(); }),
                  watchers_.end());
  if (watchers_.empty()) return;
  const v1::NodesResponse nodes = board_.Nodes(Loop::Now());
  for (const std::shared_ptr<NodesStream>& watcher : watchers_) watcher->Show(nodes);
}

void ClusterService::Stop() {
  for (const std::shared_ptr<NodesStream>& watcher : watchers_)
    watcher->Close(absl::UnavailableError("the agent is stopping"));
  watchers_.clear();
  for (const std::weak_ptr<api::Reload>& weak : reloads_) {
    if (const std::shared_ptr<api::Reload> reload = weak.lock()) reload->Cancel();
  }
  reloads_.clear();
}

grpc::ServerUnaryReactor* ClusterService::Nodes(grpc::CallbackServerContext* context,
                                                const v1::NodesRequest*,
                                                v1::NodesResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Nodes"}, answer, [this, answer, response] {
    answer->Give(absl::OkStatus(), [&] { *response = board_.Nodes(Loop::Now()); });
  });
  return answer.get();
}

grpc::ServerWriteReactor<v1::NodesResponse>* ClusterService::Watch(
    grpc::CallbackServerContext* context, const v1::NodesRequest*) {
  auto watcher = NodesStream::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Watch"}, watcher,
            [this, watcher] { Admit(watcher); });
  return watcher.get();
}

void ClusterService::Admit(std::shared_ptr<NodesStream> watcher) {
  Changed();  // those who have left make room
  if (watchers_.size() >= kMaxWatchers) {
    return watcher->Close(absl::ResourceExhaustedError(
        absl::StrCat(kMaxWatchers, " others watch already; end one of them")));
  }
  watcher->Show(board_.Nodes(Loop::Now()));
  watchers_.push_back(std::move(watcher));
}

grpc::ServerUnaryReactor* ClusterService::Reload(grpc::CallbackServerContext* context,
                                                 const v1::ReloadRequest*,
                                                 v1::NodesResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Reload"}, answer, [this, answer, response] {
    auto show = [answer, response](v1::NodesResponse nodes) {
      answer->Give(absl::OkStatus(), [&] { *response = std::move(nodes); });
    };
    if (peer_ == nullptr) return show(board_.Nodes(Loop::Now()));
    reloads_.erase(std::remove_if(reloads_.begin(), reloads_.end(),
                                  [](const auto& reload) { return reload.expired(); }),
                   reloads_.end());
    reloads_.push_back(api::Reload::Begin(peer_, board_.Nodes(Loop::Now()), std::move(show)));
  });
  return answer.get();
}

grpc::ServerUnaryReactor* ClusterService::GetStatus(grpc::CallbackServerContext* context,
                                                    const v1::GetStatusRequest*,
                                                    v1::GetStatusResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/GetStatus"}, answer, [this, answer, response] {
    answer->Give(absl::OkStatus(), [&] { *response = board_.Status(Loop::Now()); });
  });
  return answer.get();
}

grpc::ServerUnaryReactor* ClusterService::Events(grpc::CallbackServerContext* context,
                                                 const v1::EventsRequest* request,
                                                 v1::EventsPage* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Events"}, answer,
            [this, answer, response, asked = *request, asked_at = absl::Now()] {
              auto give = [answer, response](absl::StatusOr<v1::EventsPage> page) {
                answer->Give(std::move(page), response);
              };
              const absl::Status in_pair = board_.InPair();
              if (!in_pair.ok()) return answer->Close(in_pair);
              if (!asked.peer()) return events_.Read(asked, asked_at, std::move(give));
              AskPeerForEvents(peer_, board_.options().peer_name, asked, std::move(give));
            });
  return answer.get();
}

grpc::ServerUnaryReactor* ClusterService::Describe(grpc::CallbackServerContext* context,
                                                   const v1::DescribeRequest*,
                                                   v1::DescribeResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Describe"}, answer,
            [this, answer, response] { answer->Give(lifecycle_.Describe(), response); });
  return answer.get();
}

grpc::ServerUnaryReactor* ClusterService::Interfaces(grpc::CallbackServerContext* context,
                                                     const v1::InterfacesRequest*,
                                                     v1::InterfacesResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Interfaces"}, answer,
            [this, answer, response] { answer->Give(lifecycle_.Interfaces(), response); });
  return answer.get();
}

grpc::ServerUnaryReactor* ClusterService::Probe(grpc::CallbackServerContext* context,
                                                const v1::ProbeRequest* request,
                                                v1::ProbeResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  // A copy: a client that leaves takes its request with it.
  desk_.Ask({*context, "zcluster.v1.ClusterService/Probe"}, answer,
            [this, answer, response, asked = *request] {
              lifecycle_.Probe(asked, [answer, response](absl::StatusOr<v1::ProbeResponse> found) {
                answer->Give(std::move(found), response);
              });
            });
  return answer.get();
}

grpc::ServerWriteReactor<v1::Step>* ClusterService::Create(grpc::CallbackServerContext* context,
                                                           const v1::CreateRequest* request) {
  auto client = StepStream::Make();
  const std::string what = InWords(*request);
  desk_.Ask({*context, "zcluster.v1.ClusterService/Create", what}, client,
            [this, client, asked = TakeOver(request), asked_at = Loop::Now()] {
              lifecycle_.Create(std::move(*asked), Towards(client, asked_at));
            });
  return client.get();
}

grpc::ServerUnaryReactor* ClusterService::Plan(grpc::CallbackServerContext* context,
                                               const v1::PlanRequest* request,
                                               v1::PlanResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Plan"}, answer,
            [this, answer, response, asked = *request] {
              lifecycle_.Plan(asked, [answer, response](absl::StatusOr<v1::PlanResponse> plan) {
                answer->Give(std::move(plan), response);
              });
            });
  return answer.get();
}

grpc::ServerWriteReactor<v1::Step>* ClusterService::Apply(grpc::CallbackServerContext* context,
                                                          const v1::ApplyRequest* request) {
  auto client = StepStream::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Apply", InWords(*request)}, client,
            [this, client, asked = *request, asked_at = Loop::Now()] {
              lifecycle_.Apply(asked, Towards(client, asked_at));
            });
  return client.get();
}

grpc::ServerWriteReactor<v1::Step>* ClusterService::Unconfigure(
    grpc::CallbackServerContext* context, const v1::UnconfigureRequest* request) {
  auto client = StepStream::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Unconfigure", InWords(*request)}, client,
            [this, client, asked = *request, asked_at = Loop::Now()] {
              lifecycle_.Unconfigure(asked, Towards(client, asked_at));
            });
  return client.get();
}

grpc::ServerUnaryReactor* PeerClusterService::Nodes(grpc::CallbackServerContext* context,
                                                    const v1::NodesRequest*,
                                                    v1::NodesResponse* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Nodes"}, answer, [this, answer, response] {
    answer->Give(absl::OkStatus(), [&] { *response = board_.Nodes(Loop::Now()); });
  });
  return answer.get();
}

grpc::ServerUnaryReactor* PeerClusterService::Events(grpc::CallbackServerContext* context,
                                                     const v1::EventsRequest* request,
                                                     v1::EventsPage* response) {
  auto answer = access::UnaryAnswer::Make();
  desk_.Ask({*context, "zcluster.v1.ClusterService/Events"}, answer,
            [this, answer, response, asked = *request, asked_at = absl::Now()] {
              if (asked.peer()) {
                return answer->Close(absl::InvalidArgumentError(
                    "peer: a peer is asked for its own events, and asks nobody"));
              }
              events_.Read(asked, asked_at,
                           [answer, response](absl::StatusOr<v1::EventsPage> page) {
                             answer->Give(std::move(page), response);
                           });
            });
  return answer.get();
}

}  // namespace zcluster::api
