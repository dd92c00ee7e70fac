// SPDX-License-Identifier: Apache-2.0
#include "agent/api/step_stream.h"

#include <utility>

#include "agent/api/grpc_status.h"

namespace zcluster::api {

std::shared_ptr<StepStream> StepStream::Make() {
  std::shared_ptr<StepStream> stream(new StepStream);
  stream->self_ = stream;
  return stream;
}

void StepStream::Write(v1::Step step) {
  absl::MutexLock lock(&mutex_);
  if (end_) return;
  if (waiting_.size() >= kMaxWaiting) {
    waiting_.clear();
    end_ =
        absl::ResourceExhaustedError("the client does not take its steps; the operation goes on");
  } else {
    waiting_.push_back(std::move(step));
  }
  Advance();
}

void StepStream::Close(const absl::Status& status) {
  Audit(status);
  absl::MutexLock lock(&mutex_);
  if (end_) return;
  end_ = status;
  Advance();
}

void StepStream::OnWriteDone(bool) {
  absl::MutexLock lock(&mutex_);
  under_way_ = false;
  Advance();
}

void StepStream::OnCancel() { Cut(absl::CancelledError("the client is gone")); }

void StepStream::Cut(const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  waiting_.clear();
  if (!end_) end_ = why;
  Advance();
}

void StepStream::OnDone() { self_.reset(); }

void StepStream::Advance() {
  if (under_way_ || finished_) return;
  if (!waiting_.empty()) {
    writing_ = std::move(waiting_.front());
    waiting_.pop_front();
    under_way_ = true;
    StartWrite(&writing_);
  } else if (end_) {
    finished_ = true;
    Finish(ToGrpc(*end_));
  }
}

}  // namespace zcluster::api
