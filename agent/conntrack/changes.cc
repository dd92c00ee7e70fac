// SPDX-License-Identifier: Apache-2.0
#include "agent/conntrack/changes.h"

#include <algorithm>
#include <utility>

#include "agent/conntrack/digest.h"
#include "agent/conntrack/memory.h"

namespace zcluster::conntrack {

void Changes::Forget() {
  first_ += slots_.size();
  slots_.clear();
  entries_.clear();
  rare_.clear();
  announcements_.Clear();
  ended_.clear();
  partial_.clear();
  begins_ = false;
  comparing_ = false;
  end_ = kNone;
  digest_ = 0;
}

bool Changes::MustTell() {
  if (!waiting_for_us_ || !Anything()) return false;
  waiting_for_us_ = false;
  return true;
}

void Changes::OnRoom(std::function<void()> room) {
  absl::MutexLock lock(&mutex_);
  room_ = std::move(room);
}

void Changes::BeginSnapshot() {
  absl::MutexLock lock(&mutex_);
  Forget();
  state_ = State::kSnapshot;
  begins_ = true;  // leaves with the first flows
  ++snapshots_;
}

bool Changes::AddFound(absl::Span<const Flow> flows, absl::Time now) {
  bool tell = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!Reading()) return false;
    read_at_ = now;
    for (const Flow& flow : flows) {
      if (ended_.contains(std::pair(flow.key, flow.id))) continue;
      auto [at, fresh] = entries_.try_emplace(flow.key);
      if (fresh) {
        if (state_ == State::kComparison) ++differing_;
        at->second.round = round_;
        Push(at->second, Whole(flow), now);
      } else if (state_ == State::kComparison && at->second.round != round_) {
        CompareOne(at->second, flow, now);
      } else if (flow.rare) {
        Complement(at->second, flow, now);
      }
    }
    tell = MustTell();
  }
  if (tell) ready_();
  return true;
}

Flow Changes::Whole(const Flow& found) {
  const auto partial = partial_.find(found.key);
  if (partial == partial_.end()) return found;
  Flow whole = partial->second;
  if (!whole.has_tcp) {  // it did not change with what the event told
    whole.tcp = found.tcp;
    whole.has_tcp = found.has_tcp;
  }
  whole.rare = Merge(found.rare, whole.rare);
  partial_.erase(partial);
  return whole;
}

void Changes::EndExpectationsBut(absl::Span<const Expectation> found) {
  absl::MutexLock lock(&mutex_);
  if (Reading()) announcements_.EndBut(found, first_ + slots_.size());
}

void Changes::AddExpectations(absl::Span<const Expectation> expectations) {
  bool tell = false;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kStopped || state_ == State::kOverflowed) return;
    for (const Expectation& expectation : expectations)
      announcements_.Add(expectation, first_ + slots_.size());
    tell = MustTell();
  }
  if (tell) ready_();
}

void Changes::EndSnapshot() {
  bool tell = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!Reading()) return;
    if (state_ == State::kComparison) EndUnseen();
    state_ = State::kLive;
    end_ = first_ + slots_.size();
    ended_ = {};
    partial_ = {};
    tell = MustTell();
  }
  if (tell) ready_();
}

bool Changes::Add(absl::Span<const Flow> events, absl::Time now) {
  bool tell = false;
  {
    absl::MutexLock lock(&mutex_);
    if (state_ == State::kStopped || state_ == State::kOverflowed) return true;
    for (const Flow& flow : events) {
      if (flow.gone) {
        EndOne(flow, now);
      } else {
        AddOne(flow, now);
      }
    }
    if (slots_.size() > kMaxWaiting || ended_.size() + partial_.size() > kMaxWaiting) {
      Forget();
      state_ = State::kOverflowed;
      return false;
    }
    tell = MustTell();
  }
  if (tell) ready_();
  return true;
}

void Changes::Remember(Entry& entry, const Flow& flow) {
  entry.id = flow.id;
  if (flow.rare) {
    rare_[flow.key] = flow.rare;
  } else if (entry.rare) {
    rare_.erase(flow.key);
  }
  entry.rare = flow.rare != nullptr;
}

void Changes::Drop(Entries::iterator at) {
  if (at->second.rare) rare_.erase(at->first);
  entries_.erase(at);
}

void Changes::Push(Entry& entry, const Flow& flow, absl::Time now) {
  entry.position = first_ + slots_.size();
  Remember(entry, flow);
  slots_.push_back({flow, now});
}

void Changes::AddOne(const Flow& flow, absl::Time now) {
  const auto at = entries_.find(flow.key);
  if (at == entries_.end()) {
    if (flow.Complete()) {
      Entry& entry = entries_[flow.key];
      entry.round = round_;
      Push(entry, flow, now);
    } else if (Reading()) {
      Stash(flow);  // the snapshot brings the rest
    }
    // Live, a part of a flow whose beginning we never saw: made before the kernel reported this
    // table's flows, and missed by the snapshot. The next snapshot has it.
    return;
  }
  Entry& entry = at->second;
  if (state_ == State::kComparison) Note(entry, flow);
  // An entry of an earlier life with the same key says nothing of this one.
  if (!entry.rare || entry.id != flow.id) return Replace(entry, flow, now);
  Flow whole = flow;
  whole.rare = Merge(rare_.at(flow.key), flow.rare);
  Replace(entry, whole, now);
}

void Changes::Replace(Entry& entry, const Flow& flow, absl::Time now) {
  if (entry.position == kNone) return Push(entry, flow, now);
  Slot& slot = At(entry.position);
  const Tcp tcp = slot.flow.tcp;
  const bool keep_tcp = !flow.has_tcp && slot.flow.has_tcp && !slot.flow.gone;
  slot.flow = flow;
  if (keep_tcp) {
    slot.flow.tcp = tcp;
    slot.flow.has_tcp = true;
  }
  Remember(entry, flow);
}

void Changes::Complement(Entry& entry, const Flow& found, absl::Time now) {
  if (entry.id != found.id) return;
  const RarePtr known = entry.rare ? rare_.at(found.key) : nullptr;
  const RarePtr whole = Merge(found.rare, known);
  if (Equal(known, whole)) return;
  if (entry.position == kNone) {
    Flow flow = found;
    flow.rare = whole;
    return Push(entry, flow, now);
  }
  Slot& slot = At(entry.position);
  if (slot.flow.gone) return;
  slot.flow.rare = whole;
  Remember(entry, slot.flow);
}

void Changes::EndOne(const Flow& flow, absl::Time now) {
  if (Reading()) {
    ended_.emplace(flow.key, flow.id);
    partial_.erase(flow.key);
  }
  const auto at = entries_.find(flow.key);
  if (at == entries_.end()) return;
  Entry& entry = at->second;
  // The kernel may keep an end back (NetlinkSocket::KeepLostEnds) until another flow has the same
  // key.
  if (entry.id != flow.id) return;
  if (entry.position == kNone) return Push(entry, flow, now);
  Slot& slot = At(entry.position);
  if (entry.sent) {
    slot.flow = flow;
    // Another life may get the same id: nothing of this one may be left for it.
    Remember(entry, flow);
    return;
  }
  slot.dropped = true;
  Drop(at);
}

bool Changes::Take(size_t most, Batch& batch) {
  batch.flows.clear();
  batch.expectations.clear();
  batch.snapshot_begins = batch.snapshot_ends = false;
  batch.oldest = absl::InfiniteFuture();
  absl::MutexLock lock(&mutex_);
  batch.end = first_;
  if (!Anything()) {
    waiting_for_us_ = true;
    return false;
  }
  batch.snapshot_begins = std::exchange(begins_, false);
  const bool full = slots_.size() >= kPauseAt;
  while (batch.flows.size() < most && !slots_.empty()) {
    Slot& slot = slots_.front();
    if (!slot.dropped) {
      if (batch.flows.empty()) batch.oldest = slot.since;
      batch.flows.push_back(slot.flow);
      const auto at = entries_.find(slot.flow.key);
      digest_ -= at->second.digest;
      if (slot.flow.gone) {
        Drop(at);
      } else {
        at->second.digest = DigestOf(slot.flow);
        if (slot.flow.has_tcp) at->second.tcp = Lasting(slot.flow.tcp);
        digest_ += at->second.digest;
        at->second.position = kNone;
        at->second.sent = true;
      }
    }
    slots_.pop_front();
    ++first_;
  }
  announcements_.Take(first_, most, batch.expectations);
  if (full && slots_.size() < kPauseAt && room_) room_();
  if (end_ != kNone && end_ <= first_ && !announcements_.Ready(first_)) {
    end_ = kNone;
    batch.snapshot_ends = !std::exchange(comparing_, false);
  }
  batch.end = first_;
  batch.digest = digest_ + announcements_.digest();
  taken_ += batch.flows.size();
  if (!batch.flows.empty() || !batch.expectations.empty() || batch.snapshot_begins ||
      batch.snapshot_ends)
    return true;
  waiting_for_us_ = true;  // all that waited had come and gone
  return false;
}

void Changes::Stop() {
  absl::MutexLock lock(&mutex_);
  Forget();
  state_ = State::kStopped;
  waiting_for_us_ = true;
}

uint64_t Changes::Next() const {
  absl::MutexLock lock(&mutex_);
  return first_ + slots_.size();
}

bool Changes::Wanted() const {
  absl::MutexLock lock(&mutex_);
  return state_ != State::kStopped;
}

bool Changes::Room() const {
  absl::MutexLock lock(&mutex_);
  return slots_.size() < kPauseAt;
}

absl::Time Changes::Oldest() const {
  absl::MutexLock lock(&mutex_);
  const auto live =
      std::find_if(slots_.begin(), slots_.end(), [](const Slot& s) { return !s.dropped; });
  return live == slots_.end() ? absl::InfiniteFuture() : live->since;
}

bool Changes::Holds(const FlowKey& key) const {
  absl::MutexLock lock(&mutex_);
  const auto at = entries_.find(key);
  if (at == entries_.end()) return false;
  const uint64_t position = at->second.position;
  return position == kNone || !slots_[position - first_].flow.gone;
}

uint64_t Changes::Flows() const {
  absl::MutexLock lock(&mutex_);
  return entries_.size();
}

uint64_t Changes::Memory() const {
  absl::MutexLock lock(&mutex_);
  return TableBytes(entries_) + RareBytes(rare_) + DequeBytes(slots_) + TableBytes(ended_) +
         TableBytes(partial_) + announcements_.Memory();
}

uint64_t Changes::Snapshots() const {
  absl::MutexLock lock(&mutex_);
  return snapshots_;
}

uint64_t Changes::Taken() const {
  absl::MutexLock lock(&mutex_);
  return taken_;
}

uint64_t Changes::Differing() const {
  absl::MutexLock lock(&mutex_);
  return differing_;
}

bool Changes::SnapshotOpen() const {
  absl::MutexLock lock(&mutex_);
  return state_ != State::kLive || begins_ || end_ != kNone;
}

}  // namespace zcluster::conntrack
