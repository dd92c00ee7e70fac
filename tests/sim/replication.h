// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "agent/core/action.h"
#include "agent/core/event.h"
#include "tests/sim/clock.h"
#include "tests/sim/random.h"

namespace zcluster::sim {

// Flows and files between the two nodes, as far as the brain hears of them: while one is master,
// the other receives in a term that is not later, and the link lives, they are in step after a
// while. What a node merges is with the other after a while, too, if that is master.
class Replication {
 public:
  struct Side {
    std::function<void(const core::Event& event)> report;
  };

  Replication(Clock& clock, Random& random, bool has_roots, std::function<bool()> link_lives,
              std::array<Side, 2> sides);

  bool in_step() const { return in_step_; }

  void AssumeRole(int node, const core::AssumeRole& order);
  void Flush(int node, core::OperationId operation, core::Replicator replicator);
  void AgentStarted(int node);
  void AgentDied(int node);
  // Looks at roles and link anew.
  void Review();

 private:
  struct Part {
    core::Role role = core::Role::kUnknown;
    core::Term term;
    bool merges = false;
    bool merge_under_way = false;
    std::vector<core::Flushed> flushes;  // not answered yet
  };
  static size_t Index(int node) { return static_cast<size_t>(node); }

  int Master() const;  // -1 if they cannot come into step
  bool CanMerge(int node) const;
  void Merge(int node);
  void ComeIntoStep(uint64_t attempt);
  void Tell(int node);
  void AnswerFlushes(int node);

  Clock& clock_;
  Random& random_;
  const bool has_roots_;
  std::function<bool()> link_lives_;
  std::array<Side, 2> sides_;
  std::array<Part, 2> parts_;
  std::array<uint64_t, 2> files_ = {1, 1};  // what each holds
  int master_ = -1;
  bool in_step_ = false;
  uint64_t attempt_ = 0;
  uint64_t changes_ = 0;
};

}  // namespace zcluster::sim
