// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/tap.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace zcluster::conntrack {

double Allowance::Most() const {
  return std::max(1.0, static_cast<double>(rate_) * absl::ToDoubleSeconds(kShowEvery));
}

void Allowance::SetRate(uint32_t per_second) {
  if (per_second == rate_) return;
  rate_ = per_second;
  left_ = Most();
}

size_t Allowance::Take(size_t wanted, absl::Time now) {
  if (rate_ == 0) return 0;
  const double since = absl::ToDoubleSeconds(now - filled_);
  left_ = std::min(Most(), left_ + since * static_cast<double>(rate_));
  filled_ = now;
  const size_t taken = std::min(wanted, static_cast<size_t>(left_));
  left_ -= static_cast<double>(taken);
  return taken;
}

void Tap::Keep(absl::Span<const Flow> changes, absl::Time now, uint32_t rate) {
  if (changes.empty()) return;
  allowance_.SetRate(rate);
  const size_t allowed = allowance_.Take(changes.size(), now);
  size_t kept = 0;
  // Whoever takes holds the lock for two swaps; should it be held up in there, we do not wait.
  if (allowed > 0 && mutex_.TryLock()) {
    const absl::Time at = absl::Now();
    kept = std::min(allowed, kMaxWaiting - waiting_.size());
    for (const Flow& flow : changes.subspan(0, kept)) waiting_.push_back({at, flow});
    mutex_.Unlock();
  }
  skipped_.fetch_add(changes.size() - kept, std::memory_order_relaxed);
}

void Tap::SetRate(uint32_t per_second) {
  absl::MutexLock lock(&mutex_);
  if (per_second == 0 || rate_.load(std::memory_order_relaxed) == 0) {
    waiting_ = {};
    skipped_.store(0, std::memory_order_relaxed);
  }
  rate_.store(per_second, std::memory_order_relaxed);
}

uint64_t Tap::Take(std::vector<Seen>& seen) {
  seen.clear();
  absl::MutexLock lock(&mutex_);
  seen.swap(waiting_);
  return skipped_.exchange(0, std::memory_order_relaxed);
}

}  // namespace zcluster::conntrack
