// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "common/access/client.h"
#include "common/access/grpc_status.h"
#include "common/loop.h"

namespace zcluster::controller {

// A client's end of a stream that is told what there is when it can take it: one message is on its
// way at most, so that a slow client costs nothing but its own freshness.
template <typename Message>
class PullStream : public grpc::ServerWriteReactor<Message>, public access::Client {
 public:
  // Lives until gRPC is done with it and the last holder is gone. May outlive `loop`.
  static std::shared_ptr<PullStream> Make(Loop& loop) {
    std::shared_ptr<PullStream> stream(new PullStream(loop));
    stream->self_ = stream;
    return stream;
  }

  // From now on `pull` is called on the loop whenever the client can take another message, and
  // `gone` once, last, when the stream has ended, however that was. False: it has ended already,
  // and neither will be called. Loop thread.
  [[nodiscard]] bool Serve(std::function<void()> pull, std::function<void()> gone) {
    if (over_) return false;
    pull_ = std::move(pull);
    gone_ = std::move(gone);
    return true;
  }

  // Whether the client can take a message now. Loop thread.
  bool CanTake() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return !under_way_ && !end_;
  }
  // Only if CanTake(); goes nowhere if the client has left since. Loop thread.
  void Write(Message message) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (under_way_ || end_) return;
    writing_ = std::move(message);
    under_way_ = true;
    this->StartWrite(&writing_);
  }

  // Ends the stream after what is on its way; the first call counts.
  void Close(const absl::Status& status) override {
    Audit(status);
    Cut(status);
  }

 private:
  explicit PullStream(Loop& loop) : post_(loop.MakePoster()) {}

  void Cut(const absl::Status& why) override ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (end_) return;
    end_ = why;
    FinishIfIdle();
  }
  void OnWriteDone(bool) override ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      under_way_ = false;
      FinishIfIdle();
      if (end_) return;
    }
    post_([me = self_] {
      if (me->pull_ != nullptr && me->CanTake()) me->pull_();
    });
  }
  void OnCancel() override { Cut(absl::CancelledError("the client is gone")); }
  void OnDone() override {
    // Our own share ends here, or on the loop.
    std::shared_ptr<PullStream> me = std::move(self_);
    post_([me] {
      me->over_ = true;
      me->pull_ = nullptr;
      const std::function<void()> gone = std::move(me->gone_);
      if (gone != nullptr) gone();
    });
  }

  // gRPC takes one write at a time, and nothing after Finish.
  void FinishIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (under_way_ || finished_ || !end_) return;
    finished_ = true;
    this->Finish(access::ToGrpc(*end_));
  }

  const Loop::Poster post_;
  mutable absl::Mutex mutex_;
  Message writing_ ABSL_GUARDED_BY(mutex_);
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<PullStream> self_;  // gRPC's share; given back in OnDone
  // The loop's.
  bool over_ = false;
  std::function<void()> pull_;
  std::function<void()> gone_;
};

}  // namespace zcluster::controller
