// SPDX-License-Identifier: Apache-2.0
// Tested by command_test.cc: what it does shows only between two nodes.
#include "agent/command/peer_calls.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "common/process.h"

namespace zcluster::command {
namespace {

// What both nodes may print, and room for the results: a peer that sends more is not ours.
constexpr size_t kMaxRelayed = 8 * kMaxOutput;

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

// Deletes itself when gRPC is done with it.
class PeerCalls::Call : public grpc::ClientReadReactor<v1::RunEvent> {
 public:
  Call(PeerCalls& owner, EventHandler on_event, EndHandler on_done)
      : owner_(owner), on_event_(std::move(on_event)), on_done_(std::move(on_done)) {}

  grpc::ClientContext& context() { return context_; }

  void Begin() {
    StartRead(&event_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    relayed_ += event_.ByteSizeLong();
    if (relayed_ > kMaxRelayed) {
      context_.TryCancel();
      return;
    }
    owner_.loop_.Post([on_event = on_event_, event = std::move(event_)] { on_event(event); });
    event_.Clear();
    StartRead(&event_);
  }

  void OnDone(const grpc::Status& status) override {
    owner_.loop_.Post([on_done = std::move(on_done_), end = FromGrpc(status)] { on_done(end); });
    owner_.Forget(this);
    delete this;
  }

 private:
  PeerCalls& owner_;
  grpc::ClientContext context_;
  const EventHandler on_event_;
  PeerCalls::EndHandler on_done_;
  v1::RunEvent event_;
  size_t relayed_ = 0;
};

PeerCalls::PeerCalls(Loop& loop, const std::shared_ptr<grpc::Channel>& peer)
    : loop_(loop), stub_(v1::CommandService::NewStub(peer)) {}

PeerCalls::~PeerCalls() { Stop(); }

template <typename Begin>
void PeerCalls::Start(absl::Duration deadline, EventHandler on_event, EndHandler on_done,
                      Begin begin) {
  auto* call = new Call(*this, std::move(on_event), std::move(on_done));
  call->context().set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  begin(call);
  {
    absl::MutexLock lock(&mutex_);
    calls_.insert(call);
    if (stopped_) call->context().TryCancel();
  }
  call->Begin();
}

void PeerCalls::Run(const v1::RunRequest& request, absl::Duration deadline, EventHandler on_event,
                    EndHandler on_done) {
  // gRPC copies the request when the call is prepared.
  Start(deadline, std::move(on_event), std::move(on_done),
        [&](Call* call) { stub_->async()->Run(&call->context(), &request, call); });
}

void PeerCalls::Replicate(const v1::ReplicateRequest& request, absl::Duration deadline,
                          EventHandler on_event, EndHandler on_done) {
  Start(deadline, std::move(on_event), std::move(on_done),
        [&](Call* call) { stub_->async()->Replicate(&call->context(), &request, call); });
}

void PeerCalls::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  for (Call* call : calls_) call->context().TryCancel();
  auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return calls_.empty(); };
  mutex_.Await(absl::Condition(&none));
}

void PeerCalls::Forget(Call* call) {
  absl::MutexLock lock(&mutex_);
  calls_.erase(call);
}

}  // namespace zcluster::command
