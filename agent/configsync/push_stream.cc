// SPDX-License-Identifier: Apache-2.0
#include "agent/configsync/push_stream.h"

#include <utility>

namespace zcluster::configsync {

std::shared_ptr<PushStream> PushStream::Open(v1::ConfigSyncService::Stub& stub, Loop& work,
                                             Handlers handlers) {
  auto stream = std::make_shared<PushStream>(work, std::move(handlers));
  stream->self_ = stream;
  stream->context_.set_wait_for_ready(true);
  stub.async()->Sync(&stream->context_, stream.get());
  stream->AddHold();
  stream->StartRead(&stream->reply_);
  stream->StartCall();
  return stream;
}

void PushStream::Write(v1::SyncRequest request) {
  absl::MutexLock lock(&mutex_);
  if (!held_) return;
  request_ = std::move(request);
  StartWrite(&request_);
}

void PushStream::ReadNext() {
  absl::MutexLock lock(&mutex_);
  if (held_) StartRead(&reply_);
}

void PushStream::Cancel() {
  context_.TryCancel();
  Release();
}

void PushStream::Release() {
  {
    absl::MutexLock lock(&mutex_);
    if (!std::exchange(held_, false)) return;
  }
  RemoveHold();
}

void PushStream::AwaitReleased() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&released_));
}

void PushStream::OnWriteDone(bool ok) {
  if (!ok) return;  // the call is ending
  work_.Post([self = shared_from_this()] { self->handlers_.sent(); });
}

void PushStream::OnReadDone(bool ok) {
  if (!ok) return Release();
  work_.Post([self = shared_from_this()] { self->handlers_.reply(self->reply_); });
}

void PushStream::OnDone(const grpc::Status& status) {
  absl::Status end(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  work_.Post([self = shared_from_this(), end = std::move(end)] { self->handlers_.closed(end); });
  std::shared_ptr<PushStream> last = std::move(self_);
  absl::MutexLock lock(&mutex_);
  released_ = true;
}

}  // namespace zcluster::configsync
