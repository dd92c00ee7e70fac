// SPDX-License-Identifier: Apache-2.0
#include "controller/agents/stream.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/access/grpc_status.h"
#include "common/grpc_address.h"
#include "common/pki.h"
#include "common/status.h"
#include "controller/agents/agent_uri.h"
#include "controller/agents/message_check.h"

namespace zcluster::controller {
namespace {

// The only value of a property; empty if there is none, or several.
absl::string_view Only(const grpc::AuthContext& proven, const char* property) {
  const std::vector<grpc::string_ref> values = proven.FindPropertyValues(property);
  return values.size() == 1 ? absl::string_view(values[0].data(), values[0].size())
                            : absl::string_view();
}

// The handshake has judged the certificate; this reads once more what it says, and lets in nobody
// else. The URI as gRPC has taken it out already, because parsing costs as much as signing.
absl::StatusOr<ProvenAgent> Prove(const grpc::CallbackServerContext& context,
                                  const std::string& fleet) {
  const std::shared_ptr<const grpc::AuthContext> proven = context.auth_context();
  ProvenAgent agent;
  ZC_ASSIGN_OR_RETURN(agent.id, ParseAgentUri(fleet, Only(*proven, GRPC_PEER_URI_PROPERTY_NAME)));
  ZC_ASSIGN_OR_RETURN(agent.key,
                      pki::CertificateFingerprint(Only(*proven, GRPC_X509_PEM_CERT_PROPERTY_NAME)));
  agent.address = HostOf(context.peer());
  return agent;
}

absl::StatusOr<v1::AgentMessage> Parse(grpc::ByteBuffer& buffer) {
  if (buffer.Length() > kMaxMessageBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a message of ", buffer.Length(), " bytes, at most ", kMaxMessageBytes, " are allowed"));
  }
  v1::AgentMessage message;
  if (!grpc::SerializationTraits<v1::AgentMessage>::Deserialize(&buffer, &message).ok()) {
    return absl::InvalidArgumentError("a message that is no AgentMessage");
  }
  ZC_RETURN_IF_ERROR(CheckMessage(message));
  return message;
}

}  // namespace

StreamGate::StreamGate(Loop& loop, std::string fleet, StreamListener& listener, size_t max_streams)
    : post_(loop.MakePoster()),
      fleet_(std::move(fleet)),
      listener_(listener),
      max_streams_(max_streams),
      told_(std::make_shared<bool>(true)) {}

void StreamGate::Shut() {
  *told_ = false;
  shut_ = true;
}

absl::Status StreamGate::Enter() {
  if (open_.fetch_add(1) >= max_streams_) {
    Leave();
    return absl::ResourceExhaustedError("the fleet is full");
  }
  if (shut_) {
    Leave();
    return absl::UnavailableError("the controller is stopping");
  }
  ++entered_;
  return absl::OkStatus();
}

bool StreamGate::Post(std::function<void(StreamListener&)> task) {
  return post_([told = told_, &listener = listener_, task = std::move(task)] {
    if (*told) task(listener);
  });
}

AgentStream::AgentStream(std::shared_ptr<StreamGate> gate, grpc::CallbackServerContext& context)
    : gate_(std::move(gate)), call_(context.c_call()) {
  grpc_call_ref(call_);
}

AgentStream::~AgentStream() { grpc_call_unref(call_); }

AgentStream* AgentStream::Make(std::shared_ptr<StreamGate> gate,
                               grpc::CallbackServerContext& context) {
  std::shared_ptr<AgentStream> stream(new AgentStream(std::move(gate), context));
  stream->self_ = stream;
  absl::StatusOr<ProvenAgent> proven = Prove(context, stream->gate_->fleet());
  absl::Status allowed = proven.status();
  if (allowed.ok()) {
    stream->agent_ = *std::move(proven);
    allowed = stream->gate_->Enter();
    stream->entered_ = allowed.ok();
  }
  if (allowed.ok()) {
    stream->Begin();
  } else {
    stream->End(allowed);
  }
  return stream.get();
}

void AgentStream::Begin() {
  const bool posted = gate_->Post(
      [self = shared_from_this()](StreamListener& listener) { listener.OnOpened(self); });
  if (!posted) End(absl::UnavailableError("the controller is stopping"));
}

void AgentStream::Read() {
  absl::MutexLock lock(&mutex_);
  if (!finished_) StartRead(&incoming_);
}

bool AgentStream::Send(const grpc::ByteBuffer& message, size_t max_waiting) {
  absl::MutexLock lock(&mutex_);
  if (end_) return true;
  if (waiting_.size() >= max_waiting) return false;
  waiting_.push_back({message, Loop::Now()});
  Advance();
  return true;
}

void AgentStream::End(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  if (end_) return;
  end_ = why;
  Advance();
}

void AgentStream::Cut(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  waiting_.clear();
  if (!end_) end_ = why;
  // Finish() would wait for the write that is stuck; this does not.
  if (writing_ && !done_) {
    const grpc::Status status = access::ToGrpc(why);
    grpc_call_cancel_with_status(call_, static_cast<grpc_status_code>(status.error_code()),
                                 status.error_message().c_str(), nullptr);
  }
  Advance();
}

absl::Time AgentStream::WaitingSince() const {
  absl::MutexLock lock(&mutex_);
  if (writing_) return write_began_;
  return waiting_.empty() ? absl::InfiniteFuture() : waiting_.front().since;
}

void AgentStream::OnReadDone(bool ok) {
  if (!ok) return Break(absl::UnavailableError("the agent has ended the stream"));
  const size_t bytes = incoming_.Length();
  absl::StatusOr<v1::AgentMessage> message = Parse(incoming_);
  incoming_.Clear();
  if (!message.ok()) return Break(message.status());
  const auto shared = std::make_shared<v1::AgentMessage>(*std::move(message));
  gate_->Post([self = shared_from_this(), shared, bytes](StreamListener& listener) {
    listener.OnHeard(*self, std::move(*shared), bytes);
  });
}

void AgentStream::OnWriteDone(bool) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  outgoing_.Clear();
  Advance();
}

void AgentStream::OnCancel() {
  Break(absl::UnavailableError("the connection to the agent is gone"));
}

void AgentStream::OnDone() {
  if (entered_) gate_->Leave();
  {
    absl::MutexLock lock(&mutex_);
    done_ = true;
  }
  const std::shared_ptr<AgentStream> last = std::move(self_);
}

// The stream is of no more use. gRPC is told at once, since the loop may never run again.
void AgentStream::Break(const absl::Status& why) {
  {
    absl::MutexLock lock(&mutex_);
    waiting_.clear();
    if (!end_) end_ = why;
    Advance();
  }
  gate_->Post([self = shared_from_this(), why](StreamListener& listener) {
    listener.OnBroken(*self, why);
  });
}

// Starts what can be started. gRPC takes one write at a time, and nothing after Finish.
void AgentStream::Advance() {
  if (writing_ || finished_) return;
  if (!waiting_.empty()) {
    outgoing_ = std::move(waiting_.front().message);
    write_began_ = waiting_.front().since;
    waiting_.pop_front();
    writing_ = true;
    StartWrite(&outgoing_);
  } else if (end_) {
    finished_ = true;
    Finish(access::ToGrpc(*end_));
  }
}

}  // namespace zcluster::controller
