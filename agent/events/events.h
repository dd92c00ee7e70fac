// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "agent/adapter.h"
#include "agent/event_journal.h"
#include "common/loop.h"

namespace zcluster::events {

struct Options {
  std::string path;     // of the SQLite file
  std::string version;  // of this program
};

// Keeps what happened on this node: each LogDecision of the brain, as it was logged, and each start
// of the agent. A thread of its own writes, at once when it is idle, else what has gathered, and
// reads. A file that cannot be written costs no more than events: they wait in memory, at most
// 10,000, and the node serves. Loop thread.
class Journal : public Adapter, public EventJournal {
 public:
  // `loop` outlives it.
  Journal(Loop& loop, Options options);
  ~Journal() override;

  // Opens the file, and so blocks for the disk; what comes of it is told by problem(). Always OK. A
  // damaged file is set aside and a new one begun; of a newer program's nothing is touched, and
  // what happens in this run is kept in memory.
  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  // Waits for the commit under way; what waits is written too, if the disk takes it.
  void Stop() override;

  // Empty as long as a first file could not be made. Then it stays: should the file be found
  // damaged later, the next one goes on with its name and its numbers.
  const std::string& id() const override;
  uint64_t first() const override;
  uint64_t last() const override;
  // At most 256 and 128 KiB. UNAVAILABLE: there is no file yet, or too many ask; else as
  // common/sqlite.h has it.
  void Read(uint64_t after, size_t limit, Answer answer) override;
  void OnGrown(std::function<void()> grown) override;

  // Why events are not on the disk; empty if they are. No fault of the node's: it is not told to
  // the brain.
  const std::string& problem() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace zcluster::events
