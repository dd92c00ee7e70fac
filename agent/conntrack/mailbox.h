// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/loop.h"

namespace zcluster::conntrack {

// The way of other threads' news to the loop, which can be shut: after Shut() nothing that was
// posted runs any more. Shared by all who may outlive the adapter for a moment, such as a stream
// that gRPC is not done with.
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(Loop& loop) : loop_(&loop) {}

  // Runs `task` on the loop. Any thread.
  void Post(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (loop_ == nullptr) return;
    loop_->Post([self = shared_from_this(), task = std::move(task)] {
      if (self->Open()) task();
    });
  }

  // Loop thread.
  void Shut() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    loop_ = nullptr;
  }

 private:
  bool Open() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return loop_ != nullptr;
  }

  mutable absl::Mutex mutex_;
  Loop* loop_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace zcluster::conntrack
