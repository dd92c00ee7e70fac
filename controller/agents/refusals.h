// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/rate.h"

namespace zcluster::controller {

// Those that were not let in: all counted, a few a second logged, since strangers decide how many
// there are. Any thread.
class Refusals {
 public:
  // `event` is the log's name for one.
  explicit Refusals(std::string event);

  // Counts one. True if it was logged; then with how many were not since the one before.
  bool Note(absl::string_view who, absl::string_view reason, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t count() const { return count_; }

  // Logged a second on average, and at once.
  static constexpr double kPerSecond = 1;
  static constexpr double kBurst = 5;

 private:
  const std::string event_;
  std::atomic<uint64_t> count_{0};
  absl::Mutex mutex_;
  Rate rate_ ABSL_GUARDED_BY(mutex_){kPerSecond, kBurst};
  uint64_t silent_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace zcluster::controller
