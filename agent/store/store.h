// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/adapter.h"
#include "agent/core/types.h"

namespace zcluster::store {

// What must survive a crash, in one SQLite file. Commits run on a thread of their own (a disk may
// stall for seconds); each is on disk before its Persisted is reported. A commit that fails is
// tried again each second, and reported as a problem of the component "store".
class Store : public Adapter {
 public:
  // Opens or creates `path` (mode 0600). FAILED_PRECONDITION if a newer program wrote it; otherwise
  // the error names the path.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path);
  // Makes `path` (mode 0600) with `durable` in it: what a node begins its life in a pair with.
  // Whole and on disk, or not at all, also over a crash. ALREADY_EXISTS if there is such a file:
  // what a node promised is never overwritten. Blocks for the disk. Any thread.
  static absl::Status Create(const std::string& path, const core::Durable& durable);
  ~Store() override;

  // What the disk held when it was opened.
  const core::Durable& durable() const;

  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  // Waits for the commit under way; what was ordered after it is written too.
  void Stop() override;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace zcluster::store
