// SPDX-License-Identifier: Apache-2.0
#include "agent/controller_link/stream.h"

#include <grpcpp/grpcpp.h>

#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "zcluster/v1/fleet_link.grpc.pb.h"

namespace zcluster::controller_link {
namespace {

std::string UriIn(const grpc::AuthContext* context) {
  if (context == nullptr) return "";
  const std::vector<grpc::string_ref> uris = context->FindPropertyValues("peer_uri");
  return uris.size() == 1 ? std::string(uris[0].data(), uris[0].size()) : "";
}

// Lets go of itself when gRPC is done with it. The hold keeps the call from being over while the
// loop may still start something on it.
class Reactor final : public grpc::ClientBidiReactor<v1::AgentMessage, v1::ControllerMessage>,
                      public std::enable_shared_from_this<Reactor> {
 public:
  Reactor(std::shared_ptr<Inlet> inlet, const std::shared_ptr<grpc::Channel>& channel,
          StreamListener& listener)
      : inlet_(std::move(inlet)),
        stub_(v1::FleetLinkService::NewStub(channel)),
        listener_(&listener) {}

  // Loop.
  void Begin() {
    self_ = shared_from_this();
    stub_->async()->Connect(&context_, this);
    AddHold();
    StartCall();
  }
  void Read() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (held_) StartRead(&incoming_);
  }
  void Write(const v1::AgentMessage& message) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (!held_) return;
    outgoing_ = message;
    StartWrite(&outgoing_);
  }
  void End() {
    listener_ = nullptr;
    context_.TryCancel();
    Release();
  }
  const std::string& peer_uri() const { return peer_uri_; }

  // gRPC's threads.
  void OnReadDone(bool ok) override {
    if (!ok) return Release();  // OnDone says why
    auto message = std::make_shared<v1::ControllerMessage>(std::move(incoming_));
    incoming_.Clear();
    Tell([this, message, uri = UriIn(context_.auth_context().get())](StreamListener& listener) {
      peer_uri_ = uri;
      listener.OnHeard(std::move(*message));
    });
  }
  void OnWriteDone(bool ok) override {
    Tell([ok](StreamListener& listener) { ok ? listener.OnWritten() : listener.OnWriteFailed(); });
  }
  void OnDone(const grpc::Status& status) override {
    Tell([status](StreamListener& listener) { listener.OnEnded(status); });
    LetGo(inlet_->poster(), std::move(self_));
  }

 private:
  void Release() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      if (!std::exchange(held_, false)) return;
    }
    RemoveHold();
  }
  void Tell(std::function<void(StreamListener&)> task) {
    inlet_->Post([self = shared_from_this(), task = std::move(task)] {
      if (self->listener_ != nullptr) task(*self->listener_);
    });
  }

  const std::shared_ptr<Inlet> inlet_;
  const std::unique_ptr<v1::FleetLinkService::Stub> stub_;
  grpc::ClientContext context_;
  std::shared_ptr<Reactor> self_;
  StreamListener* listener_;  // loop
  std::string peer_uri_;      // loop
  absl::Mutex mutex_;
  bool held_ ABSL_GUARDED_BY(mutex_) = true;
  v1::ControllerMessage incoming_;
  v1::AgentMessage outgoing_;
};

class Dialed final : public Stream {
 public:
  explicit Dialed(std::shared_ptr<Reactor> reactor) : reactor_(std::move(reactor)) {}
  ~Dialed() override { reactor_->End(); }
  void Read() override { reactor_->Read(); }
  void Write(const v1::AgentMessage& message) override { reactor_->Write(message); }
  std::string PeerUri() const override { return reactor_->peer_uri(); }

 private:
  const std::shared_ptr<Reactor> reactor_;
};

}  // namespace

std::unique_ptr<Stream> Stream::Dial(std::shared_ptr<Inlet> inlet,
                                     const std::shared_ptr<grpc::Channel>& channel,
                                     StreamListener& listener) {
  auto reactor = std::make_shared<Reactor>(std::move(inlet), channel, listener);
  reactor->Begin();
  return std::make_unique<Dialed>(std::move(reactor));
}

}  // namespace zcluster::controller_link
