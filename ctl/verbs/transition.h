// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "ctl/verbs/journals.h"

// How the master changed, as both nodes' journals tell it. Pure.
namespace zcluster::ctl {

// A part of the way from one master to the next.
struct Stage {
  std::string name;  // "barrier", "detection", "election", "vip", "first packet", "decision",
  // "recovery"
  absl::optional<absl::Duration> took = absl::nullopt;  // empty: not known
  // What two clocks leave open; zero where one clock saw both ends.
  absl::Duration uncertainty = absl::ZeroDuration();
  std::string from;  // what it is counted from and to, or why it is not known
};

// One change of the master.
struct Transition {
  uint64_t term = 0;
  absl::Time at;       // of the promotion, by the asked node's clock
  std::string to;      // who is master since
  std::string from;    // who was; empty: not known, or nobody
  std::string kind;    // "failover", "switchover", "failback", "maintenance enter"
  std::string cause;   // in a sentence
  std::string by;      // who asked for it; empty: nobody, or not known
  std::string reason;  // that was given for it; may be empty
  std::vector<Stage> stages;
  // Connections by what became of them, as the new master knew it: those that it held, and went on;
  // those that ended on the old master itself, and broke.
  absl::optional<uint64_t> lived;
  absl::optional<uint64_t> broke;
  std::vector<std::string> lacks;   // what is not known, and why; a sentence each
  std::vector<Happening> timeline;  // all that happened around it, in order
};

// Which one: the `last` one (1: the latest), or the one that began `term`, if that is not 0.
struct Which {
  uint32_t last = 1;
  uint64_t term = 0;
};

// NOT_FOUND, with what there is instead, if the journals do not have it. `journals` must outlive
// the result.
absl::StatusOr<Transition> Explain(const std::vector<NodeJournal>& journals, const Which& which);

}  // namespace zcluster::ctl
