// SPDX-License-Identifier: Apache-2.0
#include "agent/lifecycle/peer_calls.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "zcluster/v1/configuration.grpc.pb.h"

namespace zcluster::lifecycle {
namespace {

constexpr absl::Duration kLimit = absl::Seconds(5);
constexpr absl::Duration kLongLimit = absl::Seconds(20);

}  // namespace

// The way from gRPC's threads to the loop, until it is shut.
struct PeerCalls::Wire {
  absl::Mutex mutex;
  Loop* loop ABSL_GUARDED_BY(mutex);  // null when shut
  std::set<grpc::ClientContext*> calls ABSL_GUARDED_BY(mutex);
  bool open = true;  // loop thread

  explicit Wire(Loop& its_loop) : loop(&its_loop) {}
  void Begin(grpc::ClientContext* call) {
    absl::MutexLock lock(&mutex);
    calls.insert(call);
  }
  void End(grpc::ClientContext* call, std::function<void()> tell) {
    absl::MutexLock lock(&mutex);
    calls.erase(call);
    if (loop != nullptr) loop->Post(std::move(tell));
  }
  void Shut() {
    open = false;
    absl::MutexLock lock(&mutex);
    loop = nullptr;
    for (grpc::ClientContext* call : calls) call->TryCancel();
  }
};

PeerCalls::PeerCalls(Loop& loop, std::shared_ptr<grpc::Channel> peer)
    : wire_(std::make_shared<Wire>(loop)), peer_(std::move(peer)) {}

PeerCalls::~PeerCalls() { wire_->Shut(); }

template <typename Request, typename Response, typename Method>
void PeerCalls::Call(Method method, const Request& request, absl::Duration limit,
                     Answer<Response> answer) {
  struct State {
    grpc::ClientContext context;
    Request request;
    Response response;
    std::unique_ptr<v1::ConfigurationService::Stub> stub;
  };
  auto state = std::make_shared<State>();
  wire_->Begin(&state->context);
  const auto tell = [wire = wire_, state, answer = std::move(answer)](absl::Status status) {
    wire->End(&state->context, [wire, state, answer, status = std::move(status)] {
      if (!wire->open) return;
      if (status.ok()) return answer(state->response);
      answer(status);
    });
  };
  if (peer_ == nullptr) return tell(absl::UnavailableError("there is no link to the peer"));
  state->request = request;
  state->stub = v1::ConfigurationService::NewStub(peer_);
  state->context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoMicroseconds(limit));
  auto* async = state->stub->async();
  (async->*method)(&state->context, &state->request, &state->response,
                   [tell](const grpc::Status& status) {
                     tell(absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                                       status.error_message()));
                   });
}

namespace {
using Async = v1::ConfigurationService::StubInterface::async_interface;
template <typename Request, typename Response>
using Unary = void (Async::*)(grpc::ClientContext*, const Request*, Response*,
                              std::function<void(grpc::Status)>);
}  // namespace

void PeerCalls::Propose(const v1::ProposeRequest& request, Answer<v1::ProposeResponse> answer) {
  Call(Unary<v1::ProposeRequest, v1::ProposeResponse>(&Async::Propose), request, kLimit,
       std::move(answer));
}
void PeerCalls::Commit(const v1::CommitRequest& request, Answer<v1::CommitResponse> answer) {
  Call(Unary<v1::CommitRequest, v1::CommitResponse>(&Async::Commit), request, kLongLimit,
       std::move(answer));
}
void PeerCalls::Abandon(const v1::AbandonRequest& request, Answer<v1::AbandonResponse> answer) {
  Call(Unary<v1::AbandonRequest, v1::AbandonResponse>(&Async::Abandon), request, kLimit,
       std::move(answer));
}
void PeerCalls::Fetch(const v1::FetchRequest& request, Answer<v1::FetchResponse> answer) {
  Call(Unary<v1::FetchRequest, v1::FetchResponse>(&Async::Fetch), request, kLimit,
       std::move(answer));
}
void PeerCalls::Outcome(const v1::OutcomeRequest& request, Answer<v1::OutcomeResponse> answer) {
  Call(Unary<v1::OutcomeRequest, v1::OutcomeResponse>(&Async::Outcome), request, kLimit,
       std::move(answer));
}
void PeerCalls::Leave(const v1::LeaveRequest& request, Answer<v1::LeaveResponse> answer) {
  Call(Unary<v1::LeaveRequest, v1::LeaveResponse>(&Async::Leave), request, kLongLimit,
       std::move(answer));
}

}  // namespace zcluster::lifecycle
