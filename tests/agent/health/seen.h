// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/core/types.h"

namespace zcluster::health {

// What only a broken product reaches.
inline constexpr absl::Duration kLong = absl::Seconds(20);

// The results as they were told, from any thread.
class Seen {
 public:
  using Results = std::vector<core::HealthCheck>;

  void Tell(Results results) {
    absl::MutexLock lock(&mutex_);
    last_ = std::move(results);
    ++times_;
  }
  // Waits until `wanted` is true of the last results; returns these.
  Results Await(const std::function<bool(const Results&)>& wanted) {
    absl::MutexLock lock(&mutex_);
    wanted_ = &wanted;
    mutex_.AwaitWithTimeout(absl::Condition(
                                +[](Seen* self) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                                  return (*self->wanted_)(self->last_);
                                },
                                this),
                            kLong);
    return last_;
  }
  // The same of the `i`th: whether it passes.
  core::HealthCheck AwaitPasses(size_t i, bool passes) {
    Results results = Await(
        [i, passes](const Results& all) { return i < all.size() && all[i].passes == passes; });
    return i < results.size() ? results[i] : core::HealthCheck{.name = "no result"};
  }
  // And which evidence it has.
  core::HealthCheck AwaitEvidence(size_t i, const std::string& evidence) {
    Results results = Await([i, &evidence](const Results& all) {
      return i < all.size() && all[i].evidence == evidence;
    });
    return i < results.size() ? results[i] : core::HealthCheck{.name = "no result"};
  }
  int times() {
    absl::MutexLock lock(&mutex_);
    return times_;
  }

 private:
  absl::Mutex mutex_;
  const std::function<bool(const Results&)>* wanted_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Results last_ ABSL_GUARDED_BY(mutex_);
  int times_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace zcluster::health
