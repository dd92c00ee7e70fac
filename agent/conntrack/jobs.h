// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace zcluster::conntrack {

// Tells a thread that works on its own to end, and ends the wait that it is in. Any thread.
class Halt {
 public:
  void Set() ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsSet() const ABSL_LOCKS_EXCLUDED(mutex_);

  // While it lives, Set() calls `end`, which must return at once and take no lock under which a
  // Waiting comes or goes. At once if it is set already.
  class Waiting {
   public:
    Waiting(Halt& halt, std::function<void()> end);
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    friend class Halt;
    Halt& halt_;
    const std::function<void()> end_;
  };

 private:
  mutable absl::Mutex mutex_;
  bool set_ ABSL_GUARDED_BY(mutex_) = false;
  std::list<const Waiting*> waiting_ ABSL_GUARDED_BY(mutex_);
};

// Long looks at the kernel's table, each on a thread of its own that gives way to all others (nice
// 10): replication, and the packets' own work, go first. Loop thread.
class Jobs {
 public:
  // So many at a time; each reads the table at the price of a core, and holds what its kind says.
  explicit Jobs(size_t most) : most_(most) {}
  ~Jobs() { Stop(); }

  // Runs `work`, in the network namespace of the calling thread, and then destroys it there. False:
  // too many run, or Stop() was called.
  bool Start(std::function<void(Halt& halt)> work);
  // Halts all, waits for them, and starts no more.
  void Stop();

 private:
  struct Job {
    Halt halt;
    std::atomic<bool> done{false};
    std::thread thread;
  };
  void Reap();

  const size_t most_;
  bool stopped_ = false;
  std::list<std::unique_ptr<Job>> jobs_;
};

}  // namespace zcluster::conntrack
