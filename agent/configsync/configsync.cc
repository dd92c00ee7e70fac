// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/configsync.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "agent/configsync/replication.h"
#include "common/status.h"
#include "zcluster/v1/config_sync.grpc.pb.h"

namespace zcluster::configsync {

// The thread, and what lives on it. Its loop takes tasks also when the thread does not run: they
// are never called then.
struct ConfigSync::Worker {
  explicit Worker(const std::shared_ptr<grpc::Channel>& peer)
      : stub(v1::ConfigSyncService::NewStub(peer)) {}

  std::unique_ptr<v1::ConfigSyncService::Stub> stub;
  Loop loop;
  std::unique_ptr<Replication> replication;  // on the thread, once that runs
  // Of roots that were reconfigured; each until gRPC is done with its calls. On the thread.
  std::vector<std::unique_ptr<Replication>> retired;
  std::thread thread;

  void Replace(std::unique_ptr<Replication> next);
  std::vector<std::shared_ptr<PushStream>> StopAll();
};

void ConfigSync::Worker::Replace(std::unique_ptr<Replication> next) {
  Replication* last = replication.get();
  retired.push_back(std::exchange(replication, std::move(next)));
  replication->TakeOver(*last, [this, last] {
    retired.erase(std::remove_if(retired.begin(), retired.end(),
                                 [last](const auto& each) { return each.get() == last; }),
                  retired.end());
  });
}

std::vector<std::shared_ptr<PushStream>> ConfigSync::Worker::StopAll() {
  const absl::Status why = absl::UnavailableError("the agent stops");
  std::vector<std::shared_ptr<PushStream>> calls = replication->Stop(why);
  for (const auto& each : retired) {
    for (auto& call : each->Stop(why)) calls.push_back(std::move(call));
  }
  return calls;
}

class ConfigSync::Service : public v1::ConfigSyncService::CallbackService {
 public:
  explicit Service(Worker& worker) : worker_(worker) {}

  void Open() { open_ = true; }
  void Close() { open_ = false; }

  grpc::ServerBidiReactor<v1::SyncRequest, v1::SyncReply>* Sync(
      grpc::CallbackServerContext* /*context*/) override {
    auto stream = AcceptStream::Open(worker_.loop, [this](const std::shared_ptr<AcceptStream>& from,
                                                          const v1::SyncRequest& request) {
      worker_.replication->TakeRequest(from, request);
    });
    if (!open_) stream->Close(absl::UnavailableError("the agent starts or stops; try again"));
    return stream.get();
  }

 private:
  Worker& worker_;
  std::atomic<bool> open_ = false;
};

ConfigSync::ConfigSync(Loop& /*loop*/, Options options, std::shared_ptr<grpc::Channel> peer)
    : options_(std::move(options)),
      worker_(std::make_unique<Worker>(peer)),
      service_(std::make_unique<Service>(*worker_)) {}

ConfigSync::~ConfigSync() { Stop(); }

grpc::Service& ConfigSync::service() { return *service_; }

absl::Status ConfigSync::Start(EventSink& events) {
  ZC_RETURN_IF_ERROR(CheckRoots(options_.roots, options_.own_paths));
  events_ = &events;
  worker_->replication =
      std::make_unique<Replication>(worker_->loop, options_, *worker_->stub, events);
  ZC_RETURN_IF_ERROR(worker_->replication->Open());
  worker_->loop.Post([worker = worker_.get()] { worker->replication->Start(); });
  worker_->thread = std::thread([worker = worker_.get()] { worker->loop.Run(); });
  service_->Open();
  return absl::OkStatus();
}

void ConfigSync::Perform(const core::Action& action) {
  if (!worker_->thread.joinable()) return;
  if (const auto* assume = std::get_if<core::AssumeRole>(&action)) {
    worker_->loop.Post([worker = worker_.get(), assume = *assume] {
      worker->replication->AssumeRole(assume.role, assume.term);
    });
  } else if (const auto* flush = std::get_if<core::Flush>(&action)) {
    if (flush->replicator != core::Replicator::kConfig) return;
    worker_->loop.Post([worker = worker_.get(), operation = flush->operation] {
      worker->replication->Flush(operation);
    });
  }
}

absl::Status ConfigSync::Reconfigure(Options options) {
  ZC_RETURN_IF_ERROR(CheckRoots(options.roots, options_.own_paths));
  if (options.roots == options_.roots) return absl::OkStatus();
  if (worker_->thread.joinable()) {
    // On this thread, which alone may say no.
    Options anew = options_;
    anew.roots = options.roots;
    auto next = std::make_shared<std::unique_ptr<Replication>>(
        std::make_unique<Replication>(worker_->loop, std::move(anew), *worker_->stub, *events_));
    ZC_RETURN_IF_ERROR((*next)->Open());
    worker_->loop.Post([worker = worker_.get(), next] { worker->Replace(std::move(*next)); });
  }
  options_.roots = std::move(options.roots);
  return absl::OkStatus();
}

void ConfigSync::Stop() {
  if (!worker_->thread.joinable()) return;
  service_->Close();
  std::vector<std::shared_ptr<PushStream>> calls;
  worker_->loop.Post([this, &calls] {
    calls = worker_->StopAll();
    worker_->loop.Quit();
  });
  worker_->thread.join();
  for (const auto& call : calls) call->AwaitReleased();
}

}  // namespace zcluster::configsync
