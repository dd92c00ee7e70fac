// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "agent/conntrack/announcements.h"
#include "agent/conntrack/flow.h"

namespace zcluster::conntrack {

// What the peer has not been sent yet: the flows that changed, each once and as it is now, oldest
// change first. The state of a flow replaces the one that waits, so a slow peer costs freshness,
// never memory. The capture thread adds, the stream takes; any thread may ask.
class Changes {
 public:
  // More flows than that waiting: they are dropped, and only a new snapshot helps.
  static constexpr size_t kMaxWaiting = 1 << 20;
  // From here on a snapshot pauses: its flows stay in the kernel, and events do not queue behind
  // them.
  static constexpr size_t kPauseAt = 4096;

  // `ready` is called, on the thread that adds and without our lock, when there is something to
  // take after a Take() that found nothing.
  explicit Changes(std::function<void()> ready) : ready_(std::move(ready)) {}

  // -- capture

  // `room` is called, on the thread that takes and under our lock, when a paused snapshot may go
  // on; empty: no more.
  void OnRoom(std::function<void()> room) ABSL_LOCKS_EXCLUDED(mutex_);
  // Forgets all that waits and that the peer was sent: a snapshot follows.
  void BeginSnapshot() ABSL_LOCKS_EXCLUDED(mutex_);
  // Events were lost: what follows by AddFound() is compared with what the peer was sent, and what
  // differs is a change like others. False: the peer has no whole snapshot to compare with.
  bool BeginComparison() ABSL_LOCKS_EXCLUDED(mutex_);
  // What a snapshot found, or a comparison. What events told since it began is newer, and stays.
  // False: nobody wants it any more.
  bool AddFound(absl::Span<const Flow> flows, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);
  // The snapshot, or the comparison, is complete once what was added until now is taken.
  void EndSnapshot() ABSL_LOCKS_EXCLUDED(mutex_);
  // All expectations that there are: those that the peer was sent beside them are no more.
  void EndExpectationsBut(absl::Span<const Expectation> found) ABSL_LOCKS_EXCLUDED(mutex_);
  // What events told of expectations, or a snapshot found. As Add() and AddFound().
  void AddExpectations(absl::Span<const Expectation> expectations) ABSL_LOCKS_EXCLUDED(mutex_);
  // What events told, in their order. Ignored before the first snapshot. False: too many wait, all
  // were dropped, and a new snapshot is needed.
  bool Add(absl::Span<const Flow> events, absl::Time now) ABSL_LOCKS_EXCLUDED(mutex_);

  // -- stream

  struct Batch {
    std::vector<Flow> flows;
    std::vector<Expectation> expectations;  // to be made after the flows
    bool snapshot_begins = false;
    bool snapshot_ends = false;
    uint64_t end = 0;                            // all changes before this position were taken
    absl::Time oldest = absl::InfiniteFuture();  // when the first of them came
    uint64_t digest = 0;                         // of all that the peer holds then
  };
  // Moves up to `most` changes into `batch`, which is cleared first. False: there is nothing, and
  // ready will be called; `batch.end` is set nevertheless.
  bool Take(size_t most, Batch& batch) ABSL_LOCKS_EXCLUDED(mutex_);
  // The stream is gone: drops everything and ignores events until the next snapshot.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  // -- anyone

  // Somebody takes: a snapshot was begun, and no Stop() came.
  bool Wanted() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Fewer than kPauseAt wait.
  bool Room() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Changes from now on have this position or a later one.
  uint64_t Next() const ABSL_LOCKS_EXCLUDED(mutex_);
  // When the oldest change that waits came.
  absl::Time Oldest() const ABSL_LOCKS_EXCLUDED(mutex_);
  // The peer holds this one, or will when it has what waits.
  bool Holds(const FlowKey& key) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Flows that the peer holds, or will when it has what waits.
  uint64_t Flows() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Bytes that these flows take, what few have, what waits and the expectations included.
  uint64_t Memory() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Snapshots begun, and changes taken, ever.
  uint64_t Snapshots() const ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t Taken() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Flows that differed in comparisons, ever.
  uint64_t Differing() const ABSL_LOCKS_EXCLUDED(mutex_);
  // A snapshot or a comparison is being made, or waits to be taken.
  bool SnapshotOpen() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  enum class State { kStopped, kOverflowed, kSnapshot, kComparison, kLive };
  struct Slot {
    Flow flow;
    absl::Time since;
    bool dropped = false;  // made and gone before the peer heard of it
  };
  struct Entry {
    uint64_t position = kNone;  // of its slot
    uint64_t digest = 0;        // as it was sent
    uint32_t id = 0;
    uint32_t round = 0;  // comparison in which it was found, or told of, last
    Tcp tcp;             // Lasting, as it was sent
    bool sent = false;   // the peer was told of it
    bool rare = false;   // there is something in rare_
  };
  using Entries = absl::flat_hash_map<FlowKey, Entry>;
  static constexpr uint64_t kNone = ~uint64_t{0};

  void AddOne(const Flow& flow, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndOne(const Flow& flow, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Push(Entry& entry, const Flow& flow, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // `flow` is what is to be said of it now.
  void Replace(Entry& entry, const Flow& flow, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remember(Entry& entry, const Flow& flow) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The table is being read.
  bool Reading() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return state_ == State::kSnapshot || state_ == State::kComparison;
  }
  // What a reading of the table found, with what events told of it meanwhile, which is forgotten.
  Flow Whole(const Flow& found) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Of comparisons (changes_comparison.cc): of a flow that the peer was sent, or that waits.
  void CompareOne(Entry& entry, const Flow& found, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // An event told of it; what it leaves out is for the comparison to find.
  void Note(Entry& entry, const Flow& told) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Stash(const Flow& told) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndUnseen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A snapshot found a flow of which events told already.
  void Complement(Entry& entry, const Flow& found, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The flow is no more.
  void Drop(Entries::iterator at) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Slot& At(uint64_t position) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return slots_[position - first_];
  }
  bool Anything() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return begins_ || !slots_.empty() || announcements_.Ready(first_) ||
           (end_ != kNone && end_ <= first_);
  }
  // True if the taker must be told, which is the caller's part once the lock is released.
  bool MustTell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void()> ready_;
  mutable absl::Mutex mutex_;
  std::function<void()> room_ ABSL_GUARDED_BY(mutex_);
  State state_ ABSL_GUARDED_BY(mutex_) = State::kStopped;
  std::deque<Slot> slots_ ABSL_GUARDED_BY(mutex_);
  uint64_t first_ ABSL_GUARDED_BY(mutex_) = 0;  // position of the first slot; never falls
  // Every flow that waits or that the peer was told of.
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  // What is known of the few flows that have it, for an event tells only what changed.
  absl::flat_hash_map<FlowKey, RarePtr> rare_ ABSL_GUARDED_BY(mutex_);
  Announcements announcements_ ABSL_GUARDED_BY(mutex_);
  // While the table is read: flows that ended since that began, each life by its id, and flows of
  // which events told only a part.
  absl::flat_hash_set<std::pair<FlowKey, uint32_t>> ended_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<FlowKey, Flow> partial_ ABSL_GUARDED_BY(mutex_);
  bool begins_ ABSL_GUARDED_BY(mutex_) = false;  // not taken yet
  // Of the snapshot or the comparison; not taken yet.
  uint64_t end_ ABSL_GUARDED_BY(mutex_) = kNone;
  bool comparing_ ABSL_GUARDED_BY(mutex_) = false;  // until its end is taken
  uint32_t round_ ABSL_GUARDED_BY(mutex_) = 0;      // comparisons begun
  absl::Time read_at_ ABSL_GUARDED_BY(mutex_);      // when a part of the table came last
  uint64_t differing_ ABSL_GUARDED_BY(mutex_) = 0;
  bool waiting_for_us_ ABSL_GUARDED_BY(mutex_) = true;
  uint64_t snapshots_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t digest_ ABSL_GUARDED_BY(mutex_) = 0;  // of what was taken since the snapshot began
};

}  // namespace zcluster::conntrack
