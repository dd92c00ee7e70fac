// SPDX-License-Identifier: Apache-2.0
#include <grpcpp/grpcpp.h>

#include <utility>

#include "agent/bootstrap/stream.h"
#include "common/grpc_address.h"
#include "common/pki.h"
#include "zcluster/v1/bootstrap.grpc.pb.h"

namespace zcluster::bootstrap {
namespace {

using grpc::ByteBuffer;

constexpr char kCloses[] = "this node takes no join any more";
constexpr char kTooMany[] = "too many callers at once; try again in a few seconds";

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

// The server demands a certificate, so there is one.
Caller CallerOf(const grpc::CallbackServerContext& context) {
  Caller caller{HostOf(context.peer()), ""};
  for (const grpc::string_ref& pem :
       context.auth_context()->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME)) {
    caller.fingerprint =
        pki::CertificateFingerprint(absl::string_view(pem.data(), pem.size())).value_or("");
  }
  return caller;
}

}  // namespace

// Deletes itself when gRPC is done with it, which is not before End().
class ServedReactor final : public grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>,
                            public std::enable_shared_from_this<ServedReactor> {
 public:
  static ServedReactor* Make(std::shared_ptr<OpenStreams> streams,
                             const grpc::CallbackServerContext& context) {
    auto reactor = std::make_shared<ServedReactor>(std::move(streams));
    reactor->self_ = reactor;
    reactor->Begin(CallerOf(context));
    return reactor.get();
  }
  explicit ServedReactor(std::shared_ptr<OpenStreams> streams) : streams_(std::move(streams)) {}

  void Listen(StreamListener& listener) { listener_ = &listener; }
  void Read() { StartRead(&incoming_); }
  void Write(const ByteBuffer& message) {
    outgoing_ = message;
    StartWrite(&outgoing_);
  }
  void End(const absl::Status& why) {
    if (std::exchange(ended_, true)) return;
    listener_ = nullptr;
    streams_->Leave(*this);
    Finish(ToGrpc(why));
  }

  void OnReadDone(bool ok) override {
    if (!ok) return TellEnded();
    Tell([message = std::make_shared<Received>(std::exchange(incoming_, ByteBuffer()))](
             StreamListener& listener) { listener.OnHeard(*message); });
  }
  void OnWriteDone(bool ok) override {
    outgoing_ = ByteBuffer();
    if (ok) Tell([](StreamListener& listener) { listener.OnWritten(); });
  }
  void OnCancel() override { TellEnded(); }
  void OnDone() override { self_.reset(); }

 private:
  void Begin(const Caller& caller);
  void TellEnded() {
    Tell([](StreamListener& listener) { listener.OnEnded(grpc::Status::CANCELLED); });
  }
  void Tell(std::function<void(StreamListener&)> task) {
    streams_->inlet().Post([self = shared_from_this(), task = std::move(task)] {
      if (self->listener_ != nullptr) task(*self->listener_);
    });
  }

  const std::shared_ptr<OpenStreams> streams_;
  std::shared_ptr<ServedReactor> self_;
  StreamListener* listener_ = nullptr;  // loop
  bool ended_ = false;                  // loop, or before the loop knows of it
  ByteBuffer incoming_;
  ByteBuffer outgoing_;
};

namespace {

class ServedStream final : public Stream {
 public:
  explicit ServedStream(std::shared_ptr<ServedReactor> reactor) : reactor_(std::move(reactor)) {}
  ~ServedStream() override { End(absl::CancelledError()); }
  void Listen(StreamListener& listener) override { reactor_->Listen(listener); }
  void Read() override { reactor_->Read(); }
  void Write(const ByteBuffer& message) override { reactor_->Write(message); }
  void End(const absl::Status& why) override { reactor_->End(why); }

 private:
  const std::shared_ptr<ServedReactor> reactor_;
};

class JoinService final
    : public v1::BootstrapService::WithRawCallbackMethod_Join<v1::BootstrapService::Service> {
 public:
  explicit JoinService(std::shared_ptr<OpenStreams> streams) : streams_(std::move(streams)) {}
  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* Join(
      grpc::CallbackServerContext* context) override {
    return ServedReactor::Make(streams_, *context);
  }

 private:
  const std::shared_ptr<OpenStreams> streams_;
};

}  // namespace

void ServedReactor::Begin(const Caller& caller) {
  if (const absl::Status entered = streams_->Enter(*this); !entered.ok()) {
    ended_ = true;
    return Finish(ToGrpc(entered));
  }
  // If they are shut from now on, Shut() finds us.
  streams_->inlet().Post([self = shared_from_this(), caller] {
    if (self->ended_) return;
    self->streams_->reception().OnCaller(std::make_unique<ServedStream>(self), caller);
  });
}

absl::Status OpenStreams::Enter(ServedReactor& reactor) {
  absl::MutexLock lock(&mutex_);
  if (shut_) return absl::UnavailableError(kCloses);
  if (open_.size() >= most_) return absl::UnavailableError(kTooMany);
  open_.insert(&reactor);
  return absl::OkStatus();
}

void OpenStreams::Leave(ServedReactor& reactor) {
  absl::MutexLock lock(&mutex_);
  open_.erase(&reactor);
}

void OpenStreams::Shut() {
  std::set<ServedReactor*> open;
  {
    absl::MutexLock lock(&mutex_);
    shut_ = true;
    open = open_;
  }
  // None of them is gone: that takes an End(), and only the loop, which is us, calls it.
  for (ServedReactor* reactor : open) reactor->End(absl::UnavailableError(kCloses));
}

std::unique_ptr<grpc::Service> MakeJoinService(std::shared_ptr<OpenStreams> streams) {
  return std::make_unique<JoinService>(std::move(streams));
}

}  // namespace zcluster::bootstrap
