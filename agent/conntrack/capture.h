// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/conntrack/changes.h"
#include "agent/conntrack/expectation.h"
#include "agent/conntrack/filter.h"
#include "agent/conntrack/netlink.h"
#include "agent/conntrack/snapshot.h"
#include "agent/conntrack/tap.h"
#include "common/real_time.h"
#include "common/unique_fd.h"

namespace zcluster::conntrack {

// How long to let events gather after a wake-up, when so many come: what is read together costs
// less, and leaves together. Zero if they are few.
absl::Duration NapAt(double events_per_second);

// Hears of every change of the kernel's table and puts it into Changes, on a thread of its own that
// waits for nothing but the kernel: the network never slows it. Where the kernel had to drop
// events, it has the table compared with what the peer was sent, or makes a new snapshot.
//
// No event tells how a flow's sequence numbers are moved. They are when a helper rewrites what was
// said, which comes with an expectation, and later events of the flow bear the mark of it; in both
// cases the flow is looked at.
class Capture {
 public:
  struct Options {
    int buffer = 64 << 20;  // bytes of events that may wait in the kernel
    uint32_t muted = 0;     // port of the socket whose changes are our own
    Filter filter;
    bool labels = false;  // are read, too
    Tap* tap = nullptr;   // is offered every change, wanted by the peer or not; outlives us
  };

  // Begins to listen, in the network namespace of the calling thread. `changes` outlives it.
  // `overrun` is called on the capture thread when events were lost.
  static absl::StatusOr<std::unique_ptr<Capture>> Start(Options options, Changes& changes,
                                                        std::function<void()> overrun);
  // Waits for the thread, which is never busy for more than some milliseconds.
  ~Capture();

  // The peer takes only what IsPlain(), from the next snapshot on. Any thread.
  void OnlyPlain(bool only) { only_plain_ = only; }
  // Makes a snapshot, or makes it anew. Any thread.
  void RequestSnapshot() ABSL_LOCKS_EXCLUDED(mutex_);
  // Calls `drained`, on the capture thread, once `changes` has all that had happened in the kernel
  // when this was called. Any thread.
  void Drain(std::function<void()> drained) ABSL_LOCKS_EXCLUDED(mutex_);

  // Times that the kernel dropped events, and events of flows that are not replicable. Any thread.
  uint64_t overruns() const { return overruns_; }
  uint64_t skipped() const { return skipped_; }

 private:
  Capture(Options options, Changes& changes, std::function<void()> overrun);

  void Wake() const;
  void Run();
  void Wait();
  // Takes the rate of events, of which so many have just been read.
  void Measure(absl::Time now, size_t events);
  bool TakeOrders() ABSL_LOCKS_EXCLUDED(mutex_);  // false: stop
  // Reads what waits, up to a bound; returns how many events that were.
  size_t ReadEvents();
  // Reads until nothing waits.
  void ReadAllEvents();
  void ReadSnapshot();
  void OnOverrun();
  // Whether the peer is to have it, as far as it takes it, whatever state it is in.
  bool MayConcern(Flow& flow) const;
  // The same of the flow as it is.
  bool Wanted(Flow& flow) const;
  // What was told of a flow: to Changes, or to be looked at.
  void Judge(Flow flow, bool new_flow);
  // The peer has it, or will.
  bool Known(const FlowKey& key) const;
  bool Wanted(const Expectation& expectation) const;
  void ReadEvent(const nlmsghdr& message);
  void ReadExpectations();
  // Reads these flows anew, and tells what they are now.
  void Look(const absl::flat_hash_set<FlowKey>& keys);
  // `whole`: not for a comparison.
  void BeginSnapshot(bool whole);
  bool SnapshotMayGoOn() const { return snapshot_.Running() && changes_.Room(); }

  const Options options_;
  Changes& changes_;
  const std::function<void()> overrun_;
  UniqueFd wake_;
  std::atomic<uint64_t> overruns_{0};
  std::atomic<uint64_t> skipped_{0};
  std::atomic<bool> only_plain_{false};

  absl::Mutex mutex_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool snapshot_requested_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> drains_ ABSL_GUARDED_BY(mutex_);

  // The thread's own.
  NetlinkSocket events_socket_;
  struct Ring;
  std::unique_ptr<Ring> ring_;
  std::vector<Flow> events_;
  Urgency urgency_{kReplicationPriority};
  absl::Duration nap_ = absl::ZeroDuration();  // after a wake-up, so that events gather
  absl::Time span_began_ = absl::InfinitePast();
  size_t span_events_ = 0;
  std::vector<Flow> found_;
  std::vector<Expectation> expectations_;
  Snapshot snapshot_;
  // Flows of which no event tells all: looked at once their events are read, and at look_due_.
  absl::flat_hash_set<FlowKey> look_now_, look_later_;
  absl::Time look_due_ = absl::InfiniteFuture();
  NetlinkSocket query_;
  uint32_t query_number_ = 0;
  bool comparing_ = false;  // the reading under way is no snapshot
  uint64_t differed_before_ = 0;
  bool snapshot_due_ = false;  // at snapshot_not_before_
  absl::Time snapshot_not_before_ = absl::InfinitePast();

  std::thread thread_;
};

}  // namespace zcluster::conntrack
