// SPDX-License-Identifier: Apache-2.0
// What the kernel would not take is tried again until it does.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/conntrack/inject.h"
#include "agent/conntrack/kernel.h"
#include "common/log.h"
#include "common/loop.h"

namespace zcluster::conntrack {
namespace {

// Between two tries of which the first did not help; and while it goes on, so that what the master
// changes meanwhile is not held up.
constexpr absl::Duration kTryEvery = absl::Seconds(1);
constexpr absl::Duration kTryOn = absl::Milliseconds(10);
constexpr size_t kTryAtOnce = KernelWriter::kMaxBatch;

}  // namespace

void Injector::GiveUp() {
  absl::MutexLock lock(&mutex_);
  give_up_ = true;
}

Lack Injector::lack() const {
  absl::MutexLock lock(&mutex_);
  return lack_;
}

absl::Duration Injector::UntilTry() const {
  return table_.missing() == 0 ? absl::InfiniteDuration() : next_try_ - Loop::Now();
}

void Injector::ForgetMissing() {
  if (table_.missing() == 0) return;
  log::Warning("conntrack_missing_given_up", {{"flows", absl::StrCat(table_.missing())}});
  table_.ForgetMissing();
}

// Where the table is full there is no try, but for as many as have room: each would cost the kernel
// a search for an entry to drop.
bool Injector::TryMissing() {
  if (UntilTry() > absl::ZeroDuration()) return false;
  const size_t before = table_.missing();
  size_t room = kTryAtOnce;
  if (full_) {
    const TableFill fill = ReadTableFill();
    if (fill.maximum != 0)
      room = std::min<size_t>(room, fill.maximum - std::min(fill.entries, fill.maximum));
  }
  full_ = full_ && room < kTryAtOnce;
  trying_ = true;
  Flow flow;
  while (room > 0 && table_.missing() > 0) {
    if (try_next_.empty()) try_next_ = table_.Missing();
    const FlowKey key = try_next_.back();
    try_next_.pop_back();
    if (!table_.Retry(key, flow)) continue;  // it ended, or was named again
    Put(Verb::kCreate, flow);
    --room;
  }
  Flush();
  trying_ = false;
  next_try_ = Loop::Now() + (table_.missing() < before ? kTryOn : kTryEvery);
  return true;
}

}  // namespace zcluster::conntrack
