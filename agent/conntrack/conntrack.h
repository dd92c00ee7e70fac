// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/adapter.h"
#include "common/backoff.h"
#include "common/flow_rule.h"
#include "common/loop.h"

namespace grpc {
class Channel;
class Service;
}  // namespace grpc

namespace zcluster {
class Guard;
}  // namespace zcluster

namespace zcluster::v1 {
class ReplicationStats;
}  // namespace zcluster::v1

namespace zcluster::conntrack {

class Capture;
class Changes;
class ComparisonService;
class Filter;
class FlowService;
class Gate;
class Injector;
class Mailbox;
class Receiver;
class Scope;
class Sender;
class Tally;
class Tap;
struct Pairing;
struct Standing;

struct Options {
  std::string node_name = {};
  // Off: does nothing, and says so. As it begins; see Reconfigure().
  bool replicate = true;
  // Connection labels, too: not unless asked for, for they may hold what means nothing on the peer.
  bool labels = false;
  // Which of the others are.
  FlowRules rules = {};
  // Addresses of the link between the agents, both nodes'. Flows between two of them are never
  // replicated.
  std::vector<std::string> own_addresses;
  // Remembers what the kernel was like before the node was in a pair, for GiveBack(). Empty:
  // nothing does.
  std::string state_file = {};
  // Bytes of events that may wait in the kernel.
  int event_buffer = 64 << 20;
  // How long after its master's stream broke, or after its own promotion, a node goes on holding
  // what it was sent. A master that returns makes a snapshot and finds it held; a promotion has
  // better things to do first.
  absl::Duration hold = absl::Seconds(5);
  // How often the connections are counted for monitoring; on a node with many, less often.
  absl::Duration count_every = absl::Minutes(1);
};

// Keeps the peer's kernel's connection table what the master's is. A master captures its own
// kernel's changes and streams them to the peer; a backup (in maintenance too) injects what a
// master of its term or a later one sends. So nothing is left to do at a failover. Reports
// ConntrackReported when it changes, at most once a second unless it gains or loses
// synchronisation; answers Flush. Two that have been master beside each other: the one that gives
// way sends its flows for the other to take what it lacks. Loop thread; its own threads and gRPC's
// are behind it.
class Conntrack : public Adapter {
 public:
  // `peer` is connected to the peer's service(), or will be. `guard` is asked for every call of an
  // operator. All outlive it; the servers of the two services are shut down before it is destroyed.
  Conntrack(Loop& loop, Options options, std::shared_ptr<grpc::Channel> peer, Guard& guard);
  ~Conntrack() override;

  // Our part of the peer server. Streams are refused until a role admits them.
  grpc::Service& service();
  // The same, for the peer that compares its kernel's table with ours.
  grpc::Service& comparison_service();
  // For operators: a look at what a master captures, and the tables compared (flows.proto).
  grpc::Service& flow_service();

  // Turns the kernel's events on (sysctl nf_conntrack_events), in the network namespace of the
  // calling thread, in which everything then happens. FAILED_PRECONDITION without conntrack in the
  // kernel, or without the right to use it.
  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  void Stop() override;

  // Begins to replicate, or ends it, in any role. What cannot begin (the kernel tracks no
  // connections) is told as the problem of ConntrackReported. A backup that ends it releases what
  // it was sent, as if its master were lost; flushes that wait are answered, for nothing is owed
  // any more.
  // `labels` and `rules` change by a snapshot.
  void Reconfigure(bool replicate, bool labels, FlowRules rules);

 private:
  using Done = std::function<void(const absl::Status&)>;
  // A Flush that is not answered yet.
  struct PendingFlush {
    uint64_t number = 0;
    Done done;
    absl::optional<uint64_t>
        position;  // of what had changed when it was ordered, once that is known
  };
  // A snapshot that somebody waits for.
  struct PendingSnapshot {
    uint64_t before = 0;  // snapshots begun when it was asked for
    Done done;
  };

  static bool StandsBy(core::Role role);
  // What replication needs of the kernel.
  absl::Status Prepare();
  void SwitchOff();
  void SwitchWanted(bool labels, FlowRules rules);
  void Assume(const core::AssumeRole& order);
  void Lead(const core::AssumeRole& order);
  void StopLeading();
  void Follow(core::Term term);

  void StartCapture();
  void OpenStream();
  // What the stream that ends has counted is kept.
  void Keep(const Sender& ended);
  void OnStreamUp(uint64_t stream, bool only_plain);
  void OnFlipped();
  void OnStreamClosed(uint64_t stream, const absl::Status& status);
  void Pump() ABSL_LOCKS_EXCLUDED(sender_mutex_);
  std::shared_ptr<Sender> sender() const ABSL_LOCKS_EXCLUDED(sender_mutex_);
  void SetSender(std::shared_ptr<Sender> sender) ABSL_LOCKS_EXCLUDED(sender_mutex_);
  void OnGateChanged();
  void ReleaseLater();

  void Flush(core::OperationId operation);
  void Advance(PendingFlush& flush);
  void OnDrained(uint64_t number, uint64_t position);
  void OnFlushed(uint64_t number);
  // Calls `done` when the backup has acknowledged all that has changed until now, or with the
  // reason why that will not come.
  void WhenFlushed(Done done);

  // What comparisons of the two tables ask (conntrack_pairing.cc).
  Pairing MakePairing();
  absl::StatusOr<Standing> Stand() const;
  void Settle(Done done);
  absl::StatusOr<Scope> Alone() const;
  v1::ReplicationStats Stats() const;
  void Resynchronise(Done done);
  // Answers those whose snapshot the backup has.
  void AdvanceSnapshots();

  // A difference between what the peer holds and what it was sent, if it lasts.
  void Repair();
  void Repair(const std::string& why);
  core::ConntrackState Describe() const;
  std::string Problem() const;
  // Tells the brain, if anything changed; or only if synchronisation or its problem did.
  void Report(bool only_if_flipped);

  Loop& loop_;
  const Options options_;
  const std::shared_ptr<grpc::Channel> peer_;
  const std::shared_ptr<Mailbox> mail_;
  const std::shared_ptr<std::atomic<uint64_t>> term_;
  EventSink* events_ = nullptr;
  bool replicate_;
  bool labels_;
  FlowRules rules_;
  absl::optional<core::AssumeRole> assumed_;  // as ordered last, also while it does nothing
  core::Role role_ = core::Role::kUnknown;    // as carried out; who merges leads
  bool merge_ = false;                        // what it sends is for another master
  std::string prepare_problem_;

  std::unique_ptr<Filter> filter_;
  std::shared_ptr<Changes> changes_;
  const std::unique_ptr<Tap> tap_;
  const std::unique_ptr<FlowService> flow_service_;
  const std::unique_ptr<ComparisonService> comparison_service_;
  const std::unique_ptr<Tally> tally_;
  std::unique_ptr<Injector> injector_;
  std::unique_ptr<Capture> capture_;
  std::string capture_problem_;
  bool only_plain_ = false;       // what the peer of this stream takes
  uint64_t overruns_before_ = 0;  // of captures that ended

  mutable absl::Mutex sender_mutex_;  // the capture thread pumps
  std::shared_ptr<Sender> sender_ ABSL_GUARDED_BY(sender_mutex_);
  uint64_t stream_ = 0;  // number of the last one
  std::string stream_problem_;
  uint64_t refused_before_ = 0;  // on streams that ended
  uint64_t batches_before_ = 0;
  uint64_t bytes_before_ = 0;
  absl::Time differs_since_ = absl::InfiniteFuture();
  absl::Time equal_since_ = absl::InfiniteFuture();  // the peer holds what it was sent
  bool crowded_ = false;  // the peer's kernel was full, and may have dropped what it held
  absl::Time no_repair_before_ = absl::InfinitePast();
  Backoff backoff_;
  std::list<PendingFlush> flushes_;
  std::list<PendingSnapshot> awaited_snapshots_;
  uint64_t flush_number_ = 0;
  uint64_t verifications_ = 0;  // comparisons of the tables that ended, and what differed
  uint64_t differing_ = 0;
  uint64_t repairs_ = 0;  // snapshots because the tables differed

  const std::shared_ptr<Gate> gate_;        // for a master, while this node stands by
  const std::shared_ptr<Gate> merge_gate_;  // for one that gives way, while it is master
  const std::unique_ptr<Receiver> receiver_;
  bool gate_was_live_ = false;

  core::ConntrackState told_;
  bool told_any_ = false;
  Loop::Registration retry_;
  Loop::Registration release_;
  Loop::Registration tick_;
  Loop::Registration renew_;
};

// Leaves this node's kernel, in the network namespace of the calling thread, as it was before the
// node was in a pair: entries that are held get their own timeouts, nf_conntrack_events is what it
// was. After Stop(), also that of an agent that died. Reads the whole table: some 5 s for a million
// flows, so not while the loop serves.
absl::Status GiveBack(const Options& options);

}  // namespace zcluster::conntrack
