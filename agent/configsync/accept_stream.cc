// SPDX-License-Identifier: Apache-2.0
// Tested by configsync_test.cc: what it does shows only between two nodes.
#include "agent/configsync/accept_stream.h"

#include <utility>

namespace zcluster::configsync {

std::shared_ptr<AcceptStream> AcceptStream::Open(Loop& work, OnRequest on_request) {
  auto stream = std::make_shared<AcceptStream>(work, std::move(on_request));
  stream->self_ = stream;
  stream->StartRead(&stream->request_);
  return stream;
}

void AcceptStream::Reply(v1::SyncReply reply) {
  absl::MutexLock lock(&mutex_);
  if (closing_) return;
  reply_ = std::move(reply);
  writing_ = true;
  StartWrite(&reply_);  // the next message is read when this one has left
}

void AcceptStream::ReadNext() {
  absl::MutexLock lock(&mutex_);
  if (!closing_) StartRead(&request_);
}

void AcceptStream::Close(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  CloseLocked(
      grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message())));
}

bool AcceptStream::closed() const {
  absl::MutexLock lock(&mutex_);
  return closing_;
}

void AcceptStream::CloseLocked(const grpc::Status& status) {
  if (closing_) return;
  closing_ = true;
  status_ = status;
  if (!writing_) Finish(status_);
}

void AcceptStream::OnReadDone(bool ok) {
  if (ok) {
    work_.Post([self = shared_from_this()] { self->on_request_(self, self->request_); });
    return;
  }
  absl::MutexLock lock(&mutex_);
  CloseLocked(grpc::Status::OK);  // the master hung up
}

void AcceptStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (closing_) {
    Finish(status_);
  } else if (ok) {
    StartRead(&request_);
  } else {
    CloseLocked(grpc::Status::CANCELLED);
  }
}

void AcceptStream::OnCancel() {
  absl::MutexLock lock(&mutex_);
  CloseLocked(grpc::Status::CANCELLED);
}

void AcceptStream::OnDone() { std::shared_ptr<AcceptStream> last = std::move(self_); }

}  // namespace zcluster::configsync
