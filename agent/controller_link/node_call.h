// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/access/vouched.h"
#include "common/inlet.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace zcluster::controller_link {

// How the node's own services are called: as any client would, so that the same code answers, asks
// the guard, keeps the audit and passes on to the master.
struct NodeDoor {
  // A channel within the process to the server that operators are served by; null while there is
  // none. Loop thread.
  std::function<std::shared_ptr<grpc::Channel>()> channel;
  // access::Access::seal().
  std::string seal;
};

// One call of the node's own services, for `caller`, that answers with a stream of messages.
// Messages and end come on the loop. Loop thread.
template <typename Message>
class NodeCall : public grpc::ClientReadReactor<Message>,
                 public std::enable_shared_from_this<NodeCall<Message>> {
 public:
  using OnMessage = std::function<void(Message)>;
  using OnEnd = std::function<void(const grpc::Status&)>;

  NodeCall(std::shared_ptr<Inlet> inlet, std::shared_ptr<grpc::Channel> channel)
      : inlet_(std::move(inlet)), channel_(std::move(channel)) {}

  // `prepare` begins the call on a stub of `channel`; gRPC copies the request.
  template <typename Prepare>
  void Begin(const access::Caller& caller, const NodeDoor& door, absl::Duration deadline,
             Prepare prepare, OnMessage on_message, OnEnd on_end) {
    on_message_ = std::move(on_message);
    on_end_ = std::move(on_end);
    self_ = this->shared_from_this();
    access::Vouch(caller, door.seal, context_);
    context_.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
    prepare(channel_, &context_, this);
    this->AddHold();
    this->StartRead(&message_);
    this->StartCall();
  }
  // Wants the next message; once for each that came.
  void Read() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (held_) this->StartRead(&message_);
  }
  // Ends our part; nothing is told any more. What was asked for goes on.
  void Cancel() {
    told_ = false;
    context_.TryCancel();
    Release();
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return Release();
    auto message = std::make_shared<Message>(std::move(message_));
    message_.Clear();
    inlet_->Post([self = this->shared_from_this(), message] {
      if (self->told_) self->on_message_(std::move(*message));
    });
  }
  void OnDone(const grpc::Status& status) override {
    inlet_->Post([self = this->shared_from_this(), status] {
      if (self->told_) self->on_end_(status);
    });
    LetGo(inlet_->poster(), std::move(self_));
  }
  void Release() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      if (!std::exchange(held_, false)) return;
    }
    this->RemoveHold();
  }

  const std::shared_ptr<Inlet> inlet_;
  const std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
  std::shared_ptr<NodeCall> self_;  // gRPC's share
  OnMessage on_message_;
  OnEnd on_end_;
  bool told_ = true;  // loop
  Message message_;
  absl::Mutex mutex_;
  bool held_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace zcluster::controller_link
