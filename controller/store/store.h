// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/loop.h"
#include "controller/store/records.h"
#include "zcluster/v1/event.pb.h"
#include "zcluster/v1/fleet.pb.h"

namespace zcluster::controller {

// The controller's memory, in one SQLite file (mode 0600; WAL, synchronous=FULL). Writes go to a
// thread of their own, in the order in which they were asked for, as many in one commit as wait;
// reads of history to another, so that a long one delays nobody. All answers come on the loop;
// those of writes in order, and those of reads, but a RESOURCE_EXHAUSTED comes at once. Loop
// thread.
//
// A disk that does not take a write (full, broken) fails it: whoever asked is told, and nothing of
// it is there; events are asked for again by their agents' own doing. The next write tries the disk
// anew. problem() says so meanwhile.
class Store {
 public:
  struct Options {
    std::string path;
    uint64_t max_events = 1'000'000;  // the newest so many are kept; by number, never by a clock
    // Bytes of writes that may wait; beyond it Append() and Write() are refused with
    // RESOURCE_EXHAUSTED.
    size_t max_waiting = 64 << 20;
  };
  // Opens or creates. FAILED_PRECONDITION if a newer program wrote it, or if it is no database of a
  // controller; otherwise the error names the path. `loop` outlives this.
  static absl::StatusOr<std::unique_ptr<Store>> Open(Loop& loop, Options options);
  // Writes what waits, if the disk takes it. No answer follows.
  virtual ~Store() = default;

  // What the disk held when it was opened.
  virtual const Contents& contents() const = 0;

  using Done = std::function<void(const absl::Status&)>;
  // All of the changes or none; on disk before `done`.
  virtual void Write(std::vector<Change> changes, Done done) = 0;

  // What an agent told.
  struct Batch {
    AgentId agent;
    std::string journal;  // one that differs from the agent's record begins anew
    std::vector<v1::Event> events;
    absl::Time received;
    // Newest event of the batch before it on the same stream; 0: it is the first. Batches that
    // follow one another may so be appended without waiting for answers: if one fails, those after
    // it are ABORTED, where otherwise a gap would be taken for what the agent has lost.
    uint64_t after = 0;
  };
  struct Appended {
    // Those that were not there before, with their numbers in the fleet's history: what an agent
    // tells again is kept once.
    std::vector<v1::FleetEvent> events;
    uint64_t taken = 0;  // newest number of the journal that is on the disk
    uint64_t lost = 0;   // numbers that are missing between what was there of this journal and
                         // `taken`: the agent has dropped them
  };
  // On disk, events and the agent's record together, before `done`. NOT_FOUND if there is no such
  // agent; ABORTED see Batch; INVALID_ARGUMENT if numbers do not grow or an event is larger than
  // proto Event allows.
  // An event of the controller's own (agent_lost, ...) has an empty `agent.node` and journal, and
  // needs no agent.
  virtual void Append(Batch batch, std::function<void(absl::StatusOr<Appended>)> done) = 0;

  // Which of the events that are on the disk.
  struct Query {
    std::vector<std::string> pairs = {};      // empty: all
    uint64_t after = 0;                       // those with a greater number
    absl::Time since = absl::InfinitePast();  // received later
    bool warnings = false;                    // those alone
    size_t limit = 100;                       // at most 10,000
    bool newest = true;  // the newest `limit` of them; else the oldest. Always oldest first
  };
  // At most 16 MiB of them: of many large ones those that `newest` says come first. It may have
  // events whose Append() is answered only after this. RESOURCE_EXHAUSTED if 64 reads wait already.
  virtual void Read(Query query,
                    std::function<void(absl::StatusOr<std::vector<v1::FleetEvent>>)> answer) = 0;

  // Number of the newest event on the disk; 0: none.
  virtual uint64_t last_event() const = 0;
  // Events on the disk.
  virtual uint64_t events() const = 0;
  // Why the disk took no write the last time, as a sentence; empty: it did.
  virtual const std::string& problem() const = 0;
};

}  // namespace zcluster::controller
