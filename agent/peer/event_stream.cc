// SPDX-License-Identifier: Apache-2.0
#include "agent/peer/event_stream.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/grpc_address.h"
#include "zcluster/v1/peer.grpc.pb.h"

namespace zcluster::peer {
namespace {

using grpc::ByteBuffer;

// The largest honest state has 64 reasons and 64 roots with all their texts at their bounds: half
// of this.
constexpr size_t kMaxMessage = 1 << 20;
// A cancelled stream ends within milliseconds.
constexpr absl::Duration kPatience = absl::Seconds(2);
constexpr char kStops[] = "zagent stops";

absl::StatusOr<v1::PeerMessage> Parse(ByteBuffer& bytes) {
  if (bytes.Length() > kMaxMessage) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a message of ", bytes.Length(), " bytes; at most ", kMaxMessage, " are allowed"));
  }
  v1::PeerMessage message;
  if (!grpc::SerializationTraits<v1::PeerMessage>::Deserialize(&bytes, &message).ok()) {
    return absl::InvalidArgumentError("an unreadable message");
  }
  return message;
}

ByteBuffer Serialise(const v1::PeerMessage& message) {
  ByteBuffer bytes;
  bool own_buffer = false;
  ZC_CHECK(
      grpc::SerializationTraits<v1::PeerMessage>::Serialize(message, &bytes, &own_buffer).ok());
  return bytes;
}

std::string CertificateUri(const grpc::AuthContext* context) {
  if (context == nullptr || !context->IsPeerAuthenticated()) return "";
  const std::vector<grpc::string_ref> uris = context->FindPropertyValues("peer_uri");
  return uris.size() == 1 ? std::string(uris[0].data(), uris[0].size()) : "";
}

}  // namespace

// One end of a gRPC stream. Write, Read, Close and Release are for the loop; the rest happens on
// gRPC's threads.
class Reactor {
 public:
  explicit Reactor(std::shared_ptr<Inlet> inlet) : inlet_(std::move(inlet)) {}

  StreamId id() const { return id_; }
  virtual void Write(const v1::PeerMessage& message) = 0;
  virtual void Read() = 0;
  // One of these, once; then nothing more may be asked.
  void Close(const absl::Status& why) {
    inlet_->GiveUp(*this);
    End(why);
  }
  void Release() {
    inlet_->GiveUp(*this);
    LetGo();
  }

 protected:
  virtual ~Reactor() = default;
  virtual void End(const absl::Status& why) = 0;
  virtual void LetGo() = 0;

  // The last step of making one; false if nobody wants it any more.
  bool Enter() {
    const absl::optional<StreamId> id = inlet_->Enter(*this);
    id_ = id.value_or(0);
    return id.has_value();
  }

  // Tells the listener of what was read.
  void Hear(std::string peer, const grpc::AuthContext* context) {
    Heard heard{Parse(incoming_), HostOf(peer), CertificateUri(context)};
    inlet_->Hand([id = id_, heard = std::move(heard)](StreamListener& listener) {
      listener.OnHeard(id, heard);
    });
  }
  void TellWritten() {
    inlet_->Hand([id = id_](StreamListener& listener) { listener.OnWritten(id); });
  }
  void TellDrained() {
    inlet_->Hand([id = id_](StreamListener& listener) { listener.OnDrained(id); });
  }
  void TellEnded(const grpc::Status& status) {
    inlet_->Hand([id = id_, status](StreamListener& listener) { listener.OnEnded(id, status); });
  }

  const std::shared_ptr<Inlet> inlet_;
  StreamId id_ = 0;
  ByteBuffer incoming_;
  ByteBuffer outgoing_;
};

namespace {

class DialedReactor final : public Reactor, public grpc::ClientBidiReactor<ByteBuffer, ByteBuffer> {
 public:
  DialedReactor(std::shared_ptr<Inlet> inlet, const std::shared_ptr<grpc::Channel>& channel)
      : Reactor(std::move(inlet)), stub_(channel) {
    stub_.PrepareBidiStreamingCall(&context_, "/zcluster.v1.PeerService/Link", {}, this);
    AddHold();  // until the loop gives us up
    Enter();
    StartCall();
  }

  void Write(const v1::PeerMessage& message) override {
    outgoing_ = Serialise(message);
    StartWrite(&outgoing_);
  }
  void Read() override { StartRead(&incoming_); }
  void End(const absl::Status&) override {
    context_.TryCancel();
    RemoveHold();
  }
  void LetGo() override { RemoveHold(); }

  void OnReadDone(bool ok) override {
    if (!ok) return TellDrained();
    Hear(context_.peer(), context_.auth_context().get());
  }
  void OnWriteDone(bool ok) override {
    if (ok) TellWritten();
  }
  void OnDone(const grpc::Status& status) override {
    TellEnded(status);
    inlet_->Leave();
    delete this;
  }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
};

class ServedReactor final : public Reactor, public grpc::ServerBidiReactor<ByteBuffer, ByteBuffer> {
 public:
  ServedReactor(std::shared_ptr<Inlet> inlet, grpc::CallbackServerContext& context)
      : Reactor(std::move(inlet)), context_(context) {}

  void Begin() {
    if (!Enter()) return End(absl::UnavailableError(kStops));
    // If it is shut from now on, Shut() finds us and ends us: we have entered.
    inlet_->Hand([this](StreamListener& listener) {
      listener.OnServed(std::make_unique<EventStream>(*this));
    });
  }

  void Write(const v1::PeerMessage& message) override {
    outgoing_ = Serialise(message);
    StartWrite(&outgoing_);
  }
  void Read() override { StartRead(&incoming_); }
  void End(const absl::Status& why) override {
    Finish(grpc::Status(static_cast<grpc::StatusCode>(why.code()), std::string(why.message())));
  }
  void LetGo() override { End(absl::CancelledError()); }

  void OnReadDone(bool ok) override {
    if (!ok) return TellEnded(grpc::Status::CANCELLED);
    Hear(context_.peer(), context_.auth_context().get());
  }
  void OnWriteDone(bool ok) override {
    if (ok) TellWritten();
  }
  void OnCancel() override { TellEnded(grpc::Status::CANCELLED); }
  void OnDone() override {
    inlet_->Leave();
    delete this;
  }

 private:
  grpc::CallbackServerContext& context_;
};

class LinkService final
    : public v1::PeerService::WithRawCallbackMethod_Link<v1::PeerService::Service> {
 public:
  explicit LinkService(std::shared_ptr<Inlet> inlet) : inlet_(std::move(inlet)) {}

  grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* Link(
      grpc::CallbackServerContext* context) override {
    auto* reactor = new ServedReactor(inlet_, *context);  // deletes itself when it is done
    reactor->Begin();
    return reactor;
  }

 private:
  const std::shared_ptr<Inlet> inlet_;
};

}  // namespace

EventStream::~EventStream() { Close(absl::CancelledError()); }

StreamId EventStream::id() const {
  ZC_CHECK(reactor_ != nullptr);
  return reactor_->id();
}

void EventStream::Read() {
  if (reactor_ != nullptr) reactor_->Read();
}

void EventStream::Send(const v1::PeerMessage& message) {
  if (reactor_ == nullptr) return;
  if (!writing_) {
    writing_ = true;
    reactor_->Write(message);
    return;
  }
  for (v1::PeerMessage& waiting : waiting_) {
    if (waiting.kind_case() != message.kind_case()) continue;
    waiting = message;
    return;
  }
  waiting_.push_back(message);
}

void EventStream::Written() {
  writing_ = false;
  if (waiting_.empty()) return;
  const v1::PeerMessage next = std::move(waiting_.front());
  waiting_.pop_front();
  Send(next);
}

void EventStream::Close(const absl::Status& why) {
  if (reactor_ != nullptr) std::exchange(reactor_, nullptr)->Close(why);
}

void EventStream::Release() {
  if (reactor_ != nullptr) std::exchange(reactor_, nullptr)->Release();
}

bool Inlet::Hand(std::function<void(StreamListener&)> task) {
  absl::MutexLock lock(&mutex_);
  if (loop_ == nullptr) return false;
  loop_->Post([self = shared_from_this(), task = std::move(task)] {
    if (self->listener_ != nullptr) task(*self->listener_);
  });
  return true;
}

void Inlet::Shut() {
  listener_ = nullptr;
  std::set<Reactor*> open;
  {
    absl::MutexLock lock(&mutex_);
    loop_ = nullptr;
    open = open_;
  }
  // None of these can be gone: only the loop, which is us, gives a reactor up, and only then may it
  // go.
  for (Reactor* reactor : open) reactor->Close(absl::UnavailableError(kStops));
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(
                              +[](int* alive) { return *alive == 0; }, &alive_),
                          kPatience);
}

absl::optional<StreamId> Inlet::Enter(Reactor& reactor) {
  absl::MutexLock lock(&mutex_);
  ++alive_;
  if (loop_ == nullptr) return absl::nullopt;
  open_.insert(&reactor);
  return next_id_++;
}

void Inlet::GiveUp(Reactor& reactor) {
  absl::MutexLock lock(&mutex_);
  open_.erase(&reactor);
}

void Inlet::Leave() {
  absl::MutexLock lock(&mutex_);
  --alive_;
}

std::unique_ptr<EventStream> DialStream(std::shared_ptr<Inlet> inlet,
                                        const std::shared_ptr<grpc::Channel>& channel) {
  return std::make_unique<EventStream>(*new DialedReactor(std::move(inlet), channel));
}

std::unique_ptr<grpc::Service> MakeLinkService(std::shared_ptr<Inlet> inlet) {
  return std::make_unique<LinkService>(std::move(inlet));
}

}  // namespace zcluster::peer
