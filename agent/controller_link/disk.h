// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/inlet.h"

namespace zcluster::controller_link {

// Does on a thread of its own what waits for a disk or makes keys, so that the loop, which carries
// the pair, does not.
class Disk {
 public:
  // What is to be done on the loop afterwards.
  using Then = std::function<void()>;

  explicit Disk(std::shared_ptr<Inlet> inlet);
  // Waits for the work under way (a few small files); what waits is dropped.
  ~Disk();

  // Runs `work` on the thread, after what was given before, and what it returns on the loop, unless
  // the inlet is shut by then. `work` holds copies of all that it needs. Loop thread.
  void Do(std::function<Then()> work) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::shared_ptr<Inlet> inlet_;
  absl::Mutex mutex_;
  // At most one of each kind of work: whoever gives it waits for its end.
  std::deque<std::function<Then()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace zcluster::controller_link
