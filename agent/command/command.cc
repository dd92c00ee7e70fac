// SPDX-License-Identifier: Apache-2.0
#include "agent/command/command.h"

#include <grpcpp/grpcpp.h>

#include <functional>
#include <utility>

#include "agent/command/peer_calls.h"
#include "agent/command/runs.h"
#include "common/access/grpc_status.h"
#include "common/access/guard.h"
#include "common/access/message_stream.h"
#include "common/check.h"
#include "common/status.h"
#include "zcluster/v1/command.grpc.pb.h"

namespace zcluster::command {
namespace {

v1::ListCommandsResponse Describe(const std::vector<CommandSpec>& catalogue) {
  v1::ListCommandsResponse response;
  for (const CommandSpec& command : catalogue) {
    v1::CommandInfo& info = *response.add_commands();
    info.set_name(command.name);
    info.set_summary(command.summary);
    for (const ArgumentSpec& argument : command.arguments) info.add_arguments(argument.name);
  }
  return response;
}

using EventStream = access::MessageStream<v1::RunEvent>;

// A run prints at most a few MiB, in pieces of some KiB: a client that is slow keeps all of it.
constexpr size_t kMaxWaiting = 65'536;

Listener Towards(const std::shared_ptr<EventStream>& stream) {
  return Listener{[stream](v1::RunEvent event) { stream->Write(std::move(event)); },
                  [stream](const absl::Status& status) { stream->Close(status); }};
}

constexpr absl::string_view kRun = "zcluster.v1.CommandService/Run";
constexpr absl::string_view kReplicate = "zcluster.v1.CommandService/Replicate";
constexpr absl::string_view kList = "zcluster.v1.CommandService/List";

// For the audit. The values of arguments may be secrets.
const std::string& WhatRuns(const v1::RunRequest& request) { return request.name(); }
const std::string& WhatRuns(const v1::ReplicateRequest& request) { return request.run().name(); }

// What both services have: the list, and the way to the loop, if the guard lets the call in.
class Service : public v1::CommandService::CallbackService {
 public:
  Service(Loop& loop, const Options& options, Guard& guard) : loop_(loop), guard_(guard) {
    SetCatalogue(options.catalogue);
  }

  void SetCatalogue(const std::vector<CommandSpec>& catalogue) {
    v1::ListCommandsResponse list = Describe(catalogue);
    absl::MutexLock lock(&mutex_);
    list_ = std::move(list);
  }

  // Before the loop runs; calls that come earlier are refused.
  void Open(const std::shared_ptr<Runs>& runs) {
    absl::MutexLock lock(&mutex_);
    runs_ = runs;
  }

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListCommandsRequest* /*request*/,
                                 v1::ListCommandsResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const absl::Status admitted = guard_.Admit(*context, kList).status();
    if (admitted.ok()) {
      absl::MutexLock lock(&mutex_);
      *response = list_;
    }
    reactor->Finish(access::ToGrpc(admitted));
    return reactor;
  }

 protected:
  // Has `run` of the runs called on the loop, with a copy of `request`.
  template <typename Request>
  grpc::ServerWriteReactor<v1::RunEvent>* Begin(const grpc::CallbackServerContext& context,
                                                absl::string_view method, const Request& request,
                                                void (Runs::*run)(const Request&, Listener)) {
    auto stream = EventStream::Make(kMaxWaiting);
    absl::StatusOr<std::shared_ptr<AdmittedCall>> call = guard_.Admit(context, method);
    if (!call.ok()) {
      stream->Close(call.status());
      return stream.get();
    }
    (*call)->Describe(WhatRuns(request));
    stream->LetIn(*std::move(call));
    std::weak_ptr<Runs> weak;
    {
      absl::MutexLock lock(&mutex_);
      weak = runs_;
    }
    loop_.Post([weak, stream, request, run] {
      if (auto runs = weak.lock()) {
        (runs.get()->*run)(request, Towards(stream));
      } else {
        stream->Close(absl::UnavailableError("the agent starts or stops; try again"));
      }
    });
    return stream.get();
  }

 private:
  Loop& loop_;
  Guard& guard_;
  absl::Mutex mutex_;
  v1::ListCommandsResponse list_ ABSL_GUARDED_BY(mutex_);
  std::weak_ptr<Runs> runs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

class Command::LocalService : public Service {
 public:
  using Service::Service;
  grpc::ServerWriteReactor<v1::RunEvent>* Run(grpc::CallbackServerContext* context,
                                              const v1::RunRequest* request) override {
    return Begin(*context, kRun, *request, &Runs::Run);
  }
};

class Command::PeerService : public Service {
 public:
  using Service::Service;
  grpc::ServerWriteReactor<v1::RunEvent>* Run(grpc::CallbackServerContext* context,
                                              const v1::RunRequest* request) override {
    return Begin(*context, kRun, *request, &Runs::RunAsMaster);
  }
  grpc::ServerWriteReactor<v1::RunEvent>* Replicate(grpc::CallbackServerContext* context,
                                                    const v1::ReplicateRequest* request) override {
    return Begin(*context, kReplicate, *request, &Runs::Replicate);
  }
};

Command::Command(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer, Guard& guard)
    : loop_(loop),
      options_(std::move(options)),
      peer_(std::make_unique<PeerCalls>(loop, peer)),
      local_service_(std::make_unique<LocalService>(loop, options_, guard)),
      peer_service_(std::make_unique<PeerService>(loop, options_, guard)) {}

Command::~Command() = default;

grpc::Service& Command::local_service() { return *local_service_; }
grpc::Service& Command::peer_service() { return *peer_service_; }

absl::Status Command::Start(EventSink& events) {
  events_ = &events;
  ZC_ASSIGN_OR_RETURN(Catalogue catalogue,
                      Catalogue::Make(options_.catalogue, options_.programs, options_.node_name));
  runs_ = std::make_shared<Runs>(loop_, std::move(catalogue), options_.node_name,
                                 options_.peer_name, *peer_);
  local_service_->Open(runs_);
  peer_service_->Open(runs_);
  return absl::OkStatus();
}

absl::Status Command::Reconfigure(Options options) {
  ZC_CHECK(options.node_name == options_.node_name && options.peer_name == options_.peer_name);
  ZC_ASSIGN_OR_RETURN(Catalogue catalogue,
                      Catalogue::Make(options.catalogue, options.programs, options.node_name));
  options_ = std::move(options);
  local_service_->SetCatalogue(options_.catalogue);
  peer_service_->SetCatalogue(options_.catalogue);
  if (runs_ != nullptr) runs_->SetCatalogue(std::move(catalogue));
  return absl::OkStatus();
}

void Command::Perform(const core::Action& action) {
  if (runs_ == nullptr) return;
  if (const auto* assume = std::get_if<core::AssumeRole>(&action)) {
    runs_->AssumeRole(assume->role, assume->term);
  } else if (const auto* flush = std::get_if<core::Flush>(&action)) {
    if (flush->replicator != core::Replicator::kCommands) return;
    runs_->Hold([events = events_, operation = flush->operation] {
      events->Report(core::Flushed{operation, core::Replicator::kCommands});
    });
  } else if (std::holds_alternative<core::ReleaseCommands>(action)) {
    runs_->Release();
  }
}

void Command::Stop() {
  if (runs_ == nullptr) return;
  runs_->Stop();
  peer_->Stop();
  runs_.reset();
}

}  // namespace zcluster::command
