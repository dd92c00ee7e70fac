// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/conntrack/expectation_table.h"
#include "agent/conntrack/filter.h"
#include "agent/conntrack/flow_table.h"
#include "agent/conntrack/kernel_writer.h"
#include "agent/conntrack/lack.h"
#include "agent/conntrack/snapshot.h"
#include "agent/conntrack/timeouts.h"
#include "common/real_time.h"

namespace zcluster::conntrack {

// Makes a backup's kernel table what its master's is, on a thread of its own. Any thread may call.
class Injector {
 public:
  // Batches that may wait. A master has at most 32 unacknowledged; a few more come when a new
  // stream follows on an old one.
  static constexpr size_t kMaxWaiting = 128;
  // See Batch::later.
  static constexpr absl::Duration kTellWithin = absl::Milliseconds(10);

  // In the network namespace of the calling thread.
  static absl::StatusOr<std::unique_ptr<Injector>> Start(Filter filter);
  // What of this node's own kernel the next snapshot is about.
  void SetFilter(Filter filter) ABSL_LOCKS_EXCLUDED(mutex_);
  // Drops what waits; at most one batch is still applied.
  ~Injector();

  // Events of changes that we make carry this number.
  uint32_t port() const { return writer_.port(); }

  struct Applied {
    uint64_t refused = 0;            // entries that the kernel ever refused
    std::optional<uint64_t> digest;  // of what is held then; empty: more has been applied already
    Lack lack;
  };
  struct Batch {
    std::vector<Flow> flows;
    bool snapshot_begins = false;
    bool snapshot_ends = false;
    // Called on our thread once it is in the kernel.
    std::function<void(const Applied& applied)> applied;
    // Of another master's flows: only what the kernel lacks is made, and nothing gives way or is
    // swept. Entries get the timeouts of their states.
    bool merge = false;
    std::vector<Expectation> expectations = {};  // after the flows
    // Called on our thread after that, if no other batch was applied meanwhile: kTellWithin later
    // at most, and whenever what is held or missing may have changed by itself (see lack()).
    std::function<void(const Applied& applied)> later = {};
  };
  // Batches are applied in the order of the calls. False: too many wait; `batch` was dropped.
  bool TryPush(Batch batch) ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls `done` on our thread when all pushed before is in the kernel.
  void Barrier(std::function<void()> done) ABSL_LOCKS_EXCLUDED(mutex_);

  // The held entries are on their own from now on: each gets the timeout of its state. Whatever is
  // pushed comes first, and a new snapshot ends it. By the kernel's own table, so entries of an
  // agent that died are found, and those that live traffic moved on in the meantime are left alone.
  void Release() ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes the window tracking of all TCP entries liberal: packets went by on another node for a
  // moment, and what the kernel here takes for the window is no longer it. By the kernel's own
  // table.
  void Loosen() ABSL_LOCKS_EXCLUDED(mutex_);
  // Gives the held entries their long timeout anew. Needed rarely: see kHoldTimeout.
  void Renew() ABSL_LOCKS_EXCLUDED(mutex_);

  // This node leads now: what it tracks itself must not give way to what is missing of another
  // master's, which is forgotten.
  void GiveUp() ABSL_LOCKS_EXCLUDED(mutex_);

  // What the master has named and the kernel would not take. It is tried again each second, but
  // not while the kernel's table is full.
  Lack lack() const ABSL_LOCKS_EXCLUDED(mutex_);
  uint64_t flows() const { return flows_; }      // held
  uint64_t digest() const { return digest_; }    // of what is held
  uint64_t applied() const { return applied_; }  // changes, ever
  uint64_t refused() const { return refused_; }  // by the kernel, ever
  uint64_t conflicts() const {
    return conflicts_;
  }  // entries that were in the way and gave way, ever
  uint64_t snapshots() const { return snapshots_; }  // begun
  uint64_t memory() const { return memory_; }        // bytes that what is held takes

 private:
  Injector(Filter filter, KernelWriter writer);

  void Run();
  // Brings what others may ask up to date.
  Applied Measure() ABSL_LOCKS_EXCLUDED(mutex_);
  // (inject_missing.cc) How long until the next try of what is missing; the try, if it is time:
  // false if it is not.
  absl::Duration UntilTry() const;
  bool TryMissing();
  // Says what the last batch has come to.
  void Tell() ABSL_LOCKS_EXCLUDED(mutex_);
  void ForgetMissing();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Apply(const Batch& batch);
  void ApplyFlow(const Flow& flow);
  void ApplyExpectation(const Expectation& expectation);
  // Makes it in the kernel, held.
  void Expect(const Expectation& expectation);
  // What the kernel dropped with flows that were made anew.
  void ExpectAgain();
  // What the kernel has: from an earlier stream, from an earlier agent, or from when this node was
  // master. What of it is as the master's is stays untouched, and what the master does not have
  // goes at the end.
  void AdoptFlows();
  void AdoptExpectations();
  void BeginSnapshot();
  void EndSnapshot();
  void BeginMerge();
  void EndMerge();
  // The next part of a release; false: it is done.
  bool ReleaseSome();
  // The same of a loosening.
  bool LoosenSome();
  void RenewAll();

  void Add(Verb verb, const Flow& flow, uint32_t timeout = kHoldTimeout);
  // With the timeout that an entry gets now.
  void Put(Verb verb, const Flow& flow);
  void Add(Verb verb, const Expectation& expectation, uint32_t timeout);
  void Flush();
  void Settle(const KernelWriter::Refusal& refusal);
  void SettleExpectation(const KernelWriter::Refusal& refusal);
  // Makes the kernel's entry what the table says, whatever is in the way; false if the kernel will
  // not.
  bool Force(const Flow& flow);
  // Creates it now; as an orphan, if need be. False if the kernel will not.
  bool Make(const Flow& flow);
  // What this kernel can have of it.
  Flow Possible(const Flow& flow) const;
  // The snapshot is over: what was made before its master gets it.
  void AdoptOrphans();
  // Does it and returns the kernel's errno, or 0. Nothing may wait in the writer.
  int Now(Verb verb, const Flow& flow);

  std::atomic<uint64_t> flows_{0};
  std::atomic<uint64_t> digest_{0};
  std::atomic<uint64_t> applied_{0};
  std::atomic<uint64_t> refused_{0};
  std::atomic<uint64_t> conflicts_{0};
  std::atomic<uint64_t> snapshots_{0};
  std::atomic<uint64_t> memory_{0};

  mutable absl::Mutex mutex_;
  std::deque<Batch> waiting_ ABSL_GUARDED_BY(mutex_);
  bool release_ ABSL_GUARDED_BY(mutex_) = false;
  bool renew_ ABSL_GUARDED_BY(mutex_) = false;
  bool loosen_ ABSL_GUARDED_BY(mutex_) = false;
  bool give_up_ ABSL_GUARDED_BY(mutex_) = false;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  Lack lack_ ABSL_GUARDED_BY(mutex_);
  std::optional<Filter> new_filter_ ABSL_GUARDED_BY(mutex_);

  // The thread's own.
  Filter filter_;
  KernelWriter writer_;
  FlowTable table_;
  bool merging_ = false;  // table_ has what was merged, and the kernel's other entries are not ours
  std::function<void(const Applied&)> later_;  // of the last batch
  absl::Time tell_at_ = absl::InfiniteFuture();
  bool full_ = false;    // the kernel's table, when something was refused last
  bool trying_ = false;  // what was counted as refused is being tried again
  absl::Time next_try_ = absl::InfinitePast();
  std::vector<FlowKey> try_next_;  // of what is missing; some may be no more
  ExpectationTable expectations_;
  absl::flat_hash_set<FlowKey> remade_;  // flows with a helper, since ExpectAgain()
  LocalAddresses local_;
  // Entries that were made without master and helper, one of which is not to be had here (any more,
  // or yet).
  absl::flat_hash_set<FlowKey> orphans_;
  Snapshot release_list_;  // of the release under way
  Snapshot loosen_list_;   // of the loosening under way
  Timeouts timeouts_;
  Urgency urgency_{kReplicationPriority};

  std::thread thread_;
};

}  // namespace zcluster::conntrack
