// SPDX-License-Identifier: Apache-2.0
// Tested by command_test.cc: what it does shows only between two nodes.
#include "agent/command/event_stream.h"

#include <utility>

namespace zcluster::command {
namespace {

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

}  // namespace

std::shared_ptr<EventStream> EventStream::Make() {
  auto stream = std::make_shared<EventStream>();
  stream->self_ = stream;
  return stream;
}

void EventStream::LetIn(std::shared_ptr<AdmittedCall> call) {
  call_ = std::move(call);
  call_->OnRevoked([weak = weak_from_this()](const absl::Status& why) {
    if (const auto self = weak.lock()) self->Cut(ToGrpc(why));
  });
}

void EventStream::Send(v1::RunEvent event) {
  absl::MutexLock lock(&mutex_);
  if (closing_) return;
  queue_.push_back(std::move(event));
  Advance();
}

void EventStream::Close(const absl::Status& status) {
  if (call_ != nullptr) call_->End(status);
  absl::MutexLock lock(&mutex_);
  if (closing_) return;
  closing_ = true;
  status_ = ToGrpc(status);
  Advance();
}

void EventStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  queue_.pop_front();
  if (!ok) queue_.clear();
  Advance();
}

// The caller is gone. The run goes on to its end, and nobody hears of it.
void EventStream::OnCancel() { Cut(grpc::Status::CANCELLED); }

void EventStream::Cut(grpc::Status why) {
  absl::MutexLock lock(&mutex_);
  if (!closing_) status_ = std::move(why);
  closing_ = true;
  while (queue_.size() > (writing_ ? 1U : 0U)) queue_.pop_back();
  Advance();
}

void EventStream::Advance() {
  if (writing_ || finished_) return;
  if (!queue_.empty()) {
    writing_ = true;
    StartWrite(&queue_.front());
  } else if (closing_) {
    finished_ = true;
    Finish(status_);
  }
}

void EventStream::OnDone() {
  std::shared_ptr<EventStream> last = std::move(self_);  // may destroy us, here at the end
}

}  // namespace zcluster::command
