// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/access/client.h"
#include "common/access/grpc_status.h"

namespace zcluster::access {

// A client's end of a stream of messages: they go out one after the other, then the status. All of
// it from any thread. Once the client is gone, what is written goes nowhere.
template <typename Message>
class MessageStream : public grpc::ServerWriteReactor<Message>, public Client {
 public:
  // Lives until gRPC is done with it and the last holder is gone. A client that takes nothing while
  // more than `max_waiting` messages come loses the stream, not what it asked for.
  static std::shared_ptr<MessageStream> Make(size_t max_waiting = 256) {
    std::shared_ptr<MessageStream> stream(new MessageStream(max_waiting));
    stream->self_ = stream;
    return stream;
  }

  void Write(Message message) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (end_) return;
    if (waiting_.size() >= max_waiting_) {
      waiting_.clear();
      end_ = absl::ResourceExhaustedError(
          absl::StrCat("the client does not take what it is sent; ", max_waiting_,
                       " messages wait (what it asked for goes on)"));
    } else {
      waiting_.push_back(std::move(message));
    }
    Advance();
  }

  // Ends the stream after what was written; the first call counts.
  void Close(const absl::Status& status) override ABSL_LOCKS_EXCLUDED(mutex_) {
    Audit(status);
    absl::MutexLock lock(&mutex_);
    if (end_) return;
    end_ = status;
    Advance();
  }

  // Whether somebody may still want what is written.
  bool open() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return !end_;
  }
  // Waits until fewer than `most` messages wait to be sent: for a thread that makes as many as are
  // taken. False: nobody wants more, or the client took none for `patience`, and loses the stream.
  // Never on gRPC's threads, nor on the loop.
  bool AwaitRoom(size_t most, absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto room = [this, most]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return end_ || waiting_.size() < most;
    };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&room), patience)) {
      waiting_.clear();
      end_ = absl::ResourceExhaustedError("the client does not take what it is sent");
      Advance();
    }
    return !end_;
  }
  // Messages that wait to be sent: whoever can make fewer of them, may look.
  size_t waiting() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return waiting_.size();
  }

 private:
  explicit MessageStream(size_t max_waiting) : max_waiting_(max_waiting) {}

  void Cut(const absl::Status& why) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    waiting_.clear();
    if (!end_) end_ = why;
    Advance();
  }
  void OnWriteDone(bool) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    under_way_ = false;
    Advance();
  }
  void OnCancel() override { Cut(absl::CancelledError("the client is gone")); }
  void OnDone() override { std::shared_ptr<MessageStream> last = std::move(self_); }

  // Starts what can be started. gRPC takes one write at a time, and nothing after Finish.
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (under_way_ || finished_) return;
    if (!waiting_.empty()) {
      writing_ = std::move(waiting_.front());
      waiting_.pop_front();
      under_way_ = true;
      this->StartWrite(&writing_);
    } else if (end_) {
      finished_ = true;
      this->Finish(ToGrpc(*end_));
    }
  }

  const size_t max_waiting_;
  mutable absl::Mutex mutex_;
  std::deque<Message> waiting_ ABSL_GUARDED_BY(mutex_);
  Message writing_ ABSL_GUARDED_BY(mutex_);
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<MessageStream> self_;  // gRPC's share; given back in OnDone
};

}  // namespace zcluster::access
