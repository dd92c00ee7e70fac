// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fleet_agent.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/certificate.h"
#include "common/check.h"
#include "common/grpc_address.h"
#include "common/protocol.h"
#include "common/tls.h"
#include "zcluster/v1/fleet_link.grpc.pb.h"

namespace zcluster::test {
namespace {

using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::StaticDataCertificateProvider;
using grpc::experimental::TlsCustomVerificationCheckRequest;

// As the real agent has them.
constexpr int kKeepaliveMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
// For TCP and TLS together: a controller that just started has a whole fleet to greet.
constexpr int kConnectMs = 60'000;
constexpr int kMaxMessageBytes = 256 << 10;

// Lets in any controller of the fleet. (common/tls.h reads files, which would be a thread and a
// watch for each of many thousand agents.)
class Gate : public ExternalCertificateVerifier {
 public:
  explicit Gate(const FleetIdentity& identity)
      : ca_(identity.ca), trust_(identity.trust), prefix_(tls::ControllerUri(identity.fleet, "")) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* verdict) override {
    const auto view = [](grpc::string_ref text) {
      return absl::string_view(text.data(), text.size());
    };
    const absl::StatusOr<tls::Identity> who =
        tls::Identify({.certificate = view(request->peer_cert()),
                       .chain = view(request->peer_cert_full_chain()),
                       .ca = ca_,
                       .called = "the controller's certificate",
                       .trust = trust_.get()},
                      tls::Use::kServer, "a controller of the fleet");
    if (!who.ok()) {
      *verdict = {grpc::StatusCode::UNAUTHENTICATED, std::string(who.status().message())};
    } else if (!absl::StartsWith(who->uri, prefix_)) {
      *verdict = {grpc::StatusCode::UNAUTHENTICATED, absl::StrCat(who->uri, " is no controller")};
    } else {
      *verdict = grpc::Status::OK;
    }
    return true;  // decided here and now
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string ca_;
  const std::shared_ptr<const tls::Trust> trust_;
  const std::string prefix_;
};

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const FleetIdentity& identity) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<StaticDataCertificateProvider>(
      std::vector<grpc::experimental::IdentityKeyCertPair>{{identity.key, identity.certificate}}));
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(false);  // see Gate
  options.set_check_call_host(false);      // names are URIs, not host names
  options.set_certificate_verifier(ExternalCertificateVerifier::Create<Gate>(identity));
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address,
                                           const FleetIdentity& identity) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Despite its name the time that an address gets to connect.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection each
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // it would keep what was sent, to send it again
  // What gRPC remembers of each channel for its debugger: nobody looks.
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_MAX_CHANNEL_TRACE_EVENT_MEMORY_PER_NODE, 0);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(-1);  // too large a message is one of the lies
  return grpc::CreateCustomChannel(TargetOf({address}), CredentialsOf(identity), arguments);
}

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

// Destroys channels on a thread of its own. gRPC 1.51's callbacks run on threads that belong to all
// channels together; the last channel ends and joins them, which must not happen on one of them: it
// ends in a broken heap.
class FleetAgent::Undertaker {
 public:
  static std::shared_ptr<Undertaker> Shared() {
    static absl::Mutex mutex(absl::kConstInit);
    static std::weak_ptr<Undertaker> shared;
    absl::MutexLock lock(&mutex);
    std::shared_ptr<Undertaker> undertaker = shared.lock();
    if (undertaker == nullptr) shared = undertaker = std::make_shared<Undertaker>();
    return undertaker;
  }

  Undertaker() : thread_([this] { Work(); }) {}
  ~Undertaker() {
    {
      absl::MutexLock lock(&mutex_);
      done_ = true;
    }
    thread_.join();
  }
  void Take(std::shared_ptr<grpc::Channel> channel) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    channels_.push_back(std::move(channel));
  }

 private:
  void Work() ABSL_LOCKS_EXCLUDED(mutex_) {
    const auto work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return done_ || !channels_.empty();
    };
    for (;;) {
      std::vector<std::shared_ptr<grpc::Channel>> taken;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(&work));
        if (channels_.empty()) return;
        taken.swap(channels_);
      }
    }
  }

  absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::shared_ptr<grpc::Channel>> channels_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

// gRPC's side of one stream: carries messages, knows nothing of them.
class FleetAgent::Stream final
    : public grpc::ClientBidiReactor<v1::AgentMessage, v1::ControllerMessage> {
 public:
  explicit Stream(FleetAgent& agent)
      : agent_(agent), channel_(MakeChannel(agent.options_.address, agent.options_.identity)) {}

  void Start(bool reads) {
    v1::FleetLinkService::NewStub(channel_)->async()->Connect(&context_, this);
    AddHold();  // writes begin outside of gRPC's callbacks
    if (reads) StartRead(&incoming_);
    StartCall();
  }
  v1::AgentMessage* outgoing() { return &outgoing_; }
  void Write() { StartWrite(&outgoing_); }
  void Cancel() { context_.TryCancel(); }
  // Nothing is begun after this. Once.
  void Leave() { RemoveHold(); }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return agent_.OnBroken();
    agent_.OnMessage(incoming_);
    if (agent_.reads()) StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override { ok ? agent_.OnSent() : agent_.OnBroken(); }
  void OnDone(const grpc::Status& status) override {
    agent_.undertaker_->Take(std::move(channel_));
    agent_.OnEnd(this, ToAbsl(status));
  }

  FleetAgent& agent_;
  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  v1::AgentMessage outgoing_;
  v1::ControllerMessage incoming_;
};

v1::AgentHello HelloOf(const FleetIdentity& identity, const std::string& journal) {
  v1::AgentHello hello;
  hello.set_pair(identity.pair);
  hello.set_node(identity.node);
  hello.set_version(ZC_VERSION);
  hello.set_protocol(kFleetProtocol);
  hello.set_allow(v1::RIGHT_OPERATOR);
  hello.set_journal(journal);
  return hello;
}

FleetAgent::FleetAgent(Options options)
    : options_(std::move(options)), undertaker_(Undertaker::Shared()) {}

FleetAgent::~FleetAgent() {
  absl::MutexLock lock(&mutex_);
  closing_ = true;
  Leave(true);
  const auto gone = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return alive_ == 0; };
  mutex_.Await(absl::Condition(&gone));
}

void FleetAgent::Dial() {
  absl::MutexLock lock(&mutex_);
  if (closing_) return;
  ZC_CHECK(stream_ == nullptr);
  end_.reset();
  welcome_ = false;
  leaving_ = false;
  waiting_.clear();
  batches_.clear();
  v1::AgentMessage message;
  *message.mutable_hello() = options_.hello;
  message.mutable_hello()->set_first_event(journal_.empty() ? last_event_
                                                            : journal_.front().number());
  message.mutable_hello()->set_last_event(last_event_);
  waiting_.push_back({std::move(message), 1});
  ++alive_;
  stream_ = new Stream(*this);
  stream_->Start(reads_);
  Advance();
}

void FleetAgent::Cut() {
  absl::MutexLock lock(&mutex_);
  Leave(true);
}

void FleetAgent::StopReading() {
  absl::MutexLock lock(&mutex_);
  reads_ = false;
}

absl::Status FleetAgent::AwaitWelcome(absl::Duration patience) const {
  absl::MutexLock lock(&mutex_);
  const auto told = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return welcome_ || end_; };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&told), patience)) {
    return absl::DeadlineExceededError(absl::StrCat("no Welcome from ", options_.address));
  }
  if (!end_) return absl::OkStatus();
  return end_->ok() ? absl::UnavailableError("the stream ended without a reason") : *end_;
}

absl::Status FleetAgent::AwaitEnd(absl::Duration patience) const {
  absl::MutexLock lock(&mutex_);
  const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return end_.has_value(); };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&ended), patience)) {
    return absl::DeadlineExceededError("the stream goes on");
  }
  return *end_;
}

uint64_t FleetAgent::Tell(std::vector<v1::Event> events) {
  absl::MutexLock lock(&mutex_);
  for (v1::Event& event : events) {
    event.set_number(++last_event_);
    journal_.push_back(std::move(event));
    if (journal_.size() > options_.max_events) journal_.pop_front();
  }
  Advance();
  return last_event_;
}

void FleetAgent::Send(v1::AgentMessage message, uint64_t times) {
  absl::MutexLock lock(&mutex_);
  if (stream_ == nullptr || leaving_ || times == 0) return;
  waiting_.push_back({std::move(message), times});
  Advance();
}

bool FleetAgent::welcome() const {
  absl::MutexLock lock(&mutex_);
  return welcome_;
}

uint64_t FleetAgent::taken() const {
  absl::MutexLock lock(&mutex_);
  return taken_;
}

size_t FleetAgent::unacknowledged() const {
  absl::MutexLock lock(&mutex_);
  return journal_.size();
}

uint64_t FleetAgent::sent() const {
  absl::MutexLock lock(&mutex_);
  return sent_;
}

bool FleetAgent::reads() const {
  absl::MutexLock lock(&mutex_);
  return reads_;
}

// Lets gRPC end the stream. Whoever reads no more would never see the end, without a cancel.
void FleetAgent::Leave(bool cancel) {
  if (stream_ == nullptr) return;
  if (cancel || !reads_) stream_->Cancel();
  if (!std::exchange(leaving_, true)) stream_->Leave();
}

void FleetAgent::OnMessage(const v1::ControllerMessage& message) {
  {
    absl::MutexLock lock(&mutex_);
    if (message.has_welcome()) {
      welcome_ = true;
      told_ = message.welcome().events_taken();
      Acknowledge(told_);
    } else if (message.has_events_taken()) {
      Acknowledge(message.events_taken().number());
    }
    Advance();
  }
  if (message.has_welcome()) {
    if (options_.welcomed != nullptr) options_.welcomed(message.welcome());
  } else if (options_.heard != nullptr) {
    options_.heard(message);
  }
}

void FleetAgent::OnSent() {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  ++sent_;
  Advance();
}

void FleetAgent::OnBroken() {
  absl::MutexLock lock(&mutex_);
  Leave(false);
}

void FleetAgent::OnEnd(Stream* stream, const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    stream_ = nullptr;
    writing_ = false;
    welcome_ = false;
    waiting_.clear();
    end_ = status;
  }
  delete stream;
  if (options_.ended != nullptr) options_.ended(status);
  absl::MutexLock lock(&mutex_);
  --alive_;
}

void FleetAgent::Acknowledge(uint64_t number) {
  taken_ = std::max(taken_, number);
  while (!journal_.empty() && journal_.front().number() <= number) journal_.pop_front();
  while (!batches_.empty() && batches_.front() <= number) batches_.pop_front();
}

// gRPC takes one write at a time.
void FleetAgent::Advance() {
  if (stream_ == nullptr || leaving_ || writing_ || !NextMessage(stream_->outgoing())) return;
  writing_ = true;
  stream_->Write();
}

bool FleetAgent::NextMessage(v1::AgentMessage* message) {
  if (!waiting_.empty()) {
    *message = waiting_.front().message;
    if (--waiting_.front().times == 0) waiting_.pop_front();
    return true;
  }
  if (!welcome_ || batches_.size() >= options_.max_unacknowledged) return false;
  // The journal is without gaps, so that the place of an event follows from its number.
  const uint64_t first = journal_.empty() ? 0 : journal_.front().number();
  const size_t begin = told_ < first ? 0 : static_cast<size_t>(told_ - first) + 1;
  if (begin >= journal_.size()) return false;
  const size_t end = std::min(journal_.size(), begin + options_.max_batch);
  message->Clear();
  for (size_t i = begin; i < end; ++i) *message->mutable_events()->add_events() = journal_[i];
  told_ = journal_[end - 1].number();
  batches_.push_back(told_);
  return true;
}

}  // namespace zcluster::test
