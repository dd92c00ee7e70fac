// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/core/types.h"
#include "agent/health/verdict.h"
#include "common/loop.h"
#include "common/process.h"

namespace zcluster::health {

// A command that says by its exit code whether what the pair serves is well on this node.
struct CheckOptions {
  std::vector<std::string> command;            // the program (absolute path) and its arguments
  absl::Duration interval = absl::Seconds(2);  // from start to start
  absl::Duration timeout = absl::Seconds(1);   // at most the interval
  int rise = 2;                                // passes in a row that make it pass
  int fall = 3;                                // failures in a row that make it fail
  bool operator==(const CheckOptions&) const = default;
};

// Most that is kept of what a run prints: the end, where programs say what is wrong.
inline constexpr size_t kMaxPrinted = 1024;
// A run that was killed is gone in less, unless it waits for a disk.
inline constexpr absl::Duration kKilledWithin = absl::Seconds(1);
// Most of it that is told as evidence.
inline constexpr size_t kMaxEvidence = 200;

// The last line that says something, in printable ASCII and bounded. Pure.
std::string LastLine(absl::string_view printed);

// Runs the command at each interval, one run at a time. At its timeout a run is killed with its
// group, and when it ends so is what it leaves behind there: a check that hangs must not pile up.
// Loop thread.
class Check {
 public:
  // `node` is this one's name; `changed` follows when Result() is another, not within a call of
  // ours.
  Check(Loop& loop, std::string node, std::function<void()> changed);

  // Nothing begins anew if all is as it was. `programs` are those that this node allows
  // (agent.yaml): another one does not run, and counts as failing.
  void Run(const absl::optional<CheckOptions>& options, const std::vector<std::string>& programs);
  // Empty until there is one.
  absl::optional<core::HealthCheck> Result() const;
  // Kills a run that is under way.
  void Stop();

 private:
  void Begin();
  // The next run, an interval after this one began, or at once if that is over.
  void Next();
  void Overdue();
  void Ended(const ProcessEnd& end);
  void Add(bool passes, const std::string& evidence);

  Loop& loop_;
  const std::string node_;
  const std::function<void()> changed_;
  absl::optional<CheckOptions> options_;
  std::vector<std::string> programs_;
  Verdict verdict_{1, 1};
  std::unique_ptr<Process> run_;
  std::string printed_;
  absl::Time began_;
  Loop::Registration next_;
  Loop::Registration overdue_;
};

}  // namespace zcluster::health
