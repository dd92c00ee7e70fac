// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "agent/adapter.h"
#include "agent/console/snapshot.h"
#include "agent/core/types.h"
#include "common/console/http_console.h"

namespace zcluster::console {

// What the agent shows on /metrics and /healthz: in no pair as well as in one. It outlives the
// members of pairs that the node is in, one after the other, so that counters only grow as long as
// the agent runs. Show…() on the loop, the rest from any thread.
class Console {
 public:
  explicit Console(std::string node_name);

  // A member of a pair begins.
  void ShowMember(Member member);
  // The member as the brain sees it.
  void ShowView(const core::View& view);
  // The node is in no pair (any more).
  void ShowNoPair();

  // For HttpConsole, which must be gone first.
  http_console::Content content();

 private:
  std::shared_ptr<const Snapshot> Latest() const ABSL_LOCKS_EXCLUDED(mutex_);
  void Leave() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string node_name_;
  Snapshot now_;              // loop
  bool has_view_ = false;     // loop: of this member
  ConntrackTotals reported_;  // loop: by this member, as it counts them
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Snapshot> latest_ ABSL_GUARDED_BY(mutex_);
};

// Shows on the console what the brain publishes, as long as its node is a member of a pair.
class MemberConsole : public Adapter {
 public:
  // `console` outlives it.
  MemberConsole(Console& console, Member member);

  absl::Status Start(EventSink& events) override;
  void Perform(const core::Action& action) override;
  void Stop() override;
  // The same member under a changed configuration.
  void Reconfigure(Member member);

 private:
  Console& console_;
  Member member_;
};

}  // namespace zcluster::console
