// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "agent/bootstrap/stream.h"

namespace zcluster::bootstrap {
namespace {

using grpc::ByteBuffer;

// Lets go of itself when gRPC is done with it. The hold keeps the call from being over while the
// loop may still start something on it.
class DialedReactor final : public grpc::ClientBidiReactor<ByteBuffer, ByteBuffer>,
                            public std::enable_shared_from_this<DialedReactor> {
 public:
  DialedReactor(std::shared_ptr<Inlet> inlet, const std::shared_ptr<grpc::Channel>& channel)
      : inlet_(std::move(inlet)), stub_(channel) {}

  void Begin() {
    self_ = shared_from_this();
    stub_.PrepareBidiStreamingCall(&context_, "/zcluster.v1.BootstrapService/Join", {}, this);
    AddHold();
    StartCall();
  }
  void Listen(StreamListener& listener) { listener_ = &listener; }
  void Read() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (held_) StartRead(&incoming_);
  }
  void Write(const ByteBuffer& message) ABSL_LOCKS_EXCLUDED(mutex_) {
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

  void OnReadDone(bool ok) override {
    if (!ok) return Release();  // OnDone says why
    Tell([message = std::make_shared<Received>(std::exchange(incoming_, ByteBuffer()))](
             StreamListener& listener) { listener.OnHeard(*message); });
  }
  void OnWriteDone(bool ok) override {
    outgoing_ = ByteBuffer();
    if (!ok) return Release();
    Tell([](StreamListener& listener) { listener.OnWritten(); });
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
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::shared_ptr<DialedReactor> self_;
  StreamListener* listener_ = nullptr;  // loop
  absl::Mutex mutex_;
  bool held_ ABSL_GUARDED_BY(mutex_) = true;
  ByteBuffer incoming_;
  ByteBuffer outgoing_;
};

class DialedStream final : public Stream {
 public:
  explicit DialedStream(std::shared_ptr<DialedReactor> reactor) : reactor_(std::move(reactor)) {}
  ~DialedStream() override { End(absl::CancelledError()); }
  void Listen(StreamListener& listener) override { reactor_->Listen(listener); }
  void Read() override { reactor_->Read(); }
  void Write(const ByteBuffer& message) override { reactor_->Write(message); }
  void End(const absl::Status&) override { reactor_->End(); }

 private:
  const std::shared_ptr<DialedReactor> reactor_;
};

}  // namespace

std::unique_ptr<Stream> DialStream(std::shared_ptr<Inlet> inlet,
                                   const std::shared_ptr<grpc::Channel>& channel) {
  auto reactor = std::make_shared<DialedReactor>(std::move(inlet), channel);
  reactor->Begin();
  return std::make_unique<DialedStream>(std::move(reactor));
}

}  // namespace zcluster::bootstrap
