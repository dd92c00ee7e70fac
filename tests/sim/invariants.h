// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <map>
#include <string>

#include "agent/core/merge.h"
#include "agent/core/question.h"
#include "tests/sim/observer.h"
#include "tests/sim/pair.h"

namespace zcluster::sim {

// Bounds are of true time: the machines' own clocks may be slow (clock.h).

// Two masters that can talk to each other settle it within this: a question, a probe of a path that
// may be silent, a message each way, and keepalived reads a file. Flows are merged before.
inline const absl::Duration kTwoMastersBound =
    Longest(absl::Seconds(1) + core::kMergeBeforeYielding);
// What an answer tells was so within this.
inline const absl::Duration kAnswerBound = Longest(core::kLongestQuestion);
// keepalived gives up the VIP of a node in maintenance within this; it reads its files in
// milliseconds.
constexpr absl::Duration kMaintenanceBound = absl::Milliseconds(200);
// A fault whose lease ran out while its agent hung is set again within this of its waking: a tick.
// While the agent is awake none runs out.
inline const absl::Duration kLapseBound = Longest(absl::Milliseconds(300));
// Commands go on within this of the end of what held them.
inline const absl::Duration kReleaseBound = Longest(absl::Milliseconds(300));
// An operation ends within this: its phases, and a disk or an agent that hangs some seconds in
// each.
inline const absl::Duration kOperationBound = Longest(absl::Seconds(100));

// What a node tells is known to its peer, or the link is known to be lost, within this: the link's
// silence, an agent that hangs.
inline const absl::Duration kKnownBound = Longest(absl::Seconds(10));

// Something that may be so for a while. Looked at after each thing that happens: it keeps when its
// time is over, since a comparison of times is cheap and their difference is not.
class Lasting {
 public:
  // Is it so, and has it been for more than `bound`?
  bool Exceeds(bool is_so, absl::Time now, absl::Duration bound) {
    if (!is_so) {
      over_at_ = absl::InfiniteFuture();
      return false;
    }
    if (over_at_ == absl::InfiniteFuture()) over_at_ = now + bound;
    return now > over_at_;
  }

 private:
  absl::Time over_at_ = absl::InfiniteFuture();  // while it is not so
};

// What must hold at every moment of every history.
class Invariants final : public Observer {
 public:
  void Watch(const Pair& pair) { pair_ = &pair; }

  // After each thing that happened.
  void Check();
  // The first that was broken, as a sentence; empty if none.
  const std::string& broken() const { return broken_; }
  // Reports one that is checked elsewhere.
  void Break(std::string what);

  void OnStarted(int node) override;
  void OnDied(int node) override;
  void OnHeard(int node, const core::Event& event) override;
  void OnPerformed(int node, const core::Action& action) override;
  void OnVrrp(int, core::VrrpState) override {}
  void OnFault(absl::string_view) override {}

 private:
  struct Asked {
    core::OperationKind kind;
    absl::Time at;
    bool force;
    bool was_out;  // already then
    absl::Duration length;
  };
  struct Record {
    core::Term
        known;  // highest that this life of the agent has heard or made, or that a former one told
    core::Term own;       // as last ordered to disk
    core::Term told;      // highest, by a promise
    core::Term told_own;  // its own, by a promise
    bool told_out =
        false;  // an operator was told that it is in maintenance, and has not asked it back
    bool persisted_out = false;  // as last ordered to disk
    absl::Time out_since;
    bool out_by_force = false;
    // The maintenance in force does not end by itself before this, unless the clock is set forward.
    absl::Time not_over_before = absl::InfinitePast();
    absl::Duration skipped;                    // by the clock, when that was known
    bool over = false;                         // since an operator asked for it last
    core::Term own_when_asking;                // its peer, whether it serves
    absl::Time served = absl::InfinitePast();  // last, its clients' path being alive
    std::map<uint64_t, Asked> operations;
    absl::Time could_serve_since = absl::InfiniteFuture();
    Lasting out_but_master;
    uint64_t asked_nonce = 0;     // of its last question
    uint64_t answered_nonce = 0;  // of the last answer that it heard
    Lasting awake;                // its agent
    bool hands_over = false;      // as last ordered of keepalived
    absl::Time commands_held_since = absl::InfiniteFuture();
    Lasting held_in_vain;  // no operation is under way any more
  };
  Record& Of(int node) { return records_[static_cast<size_t>(node)]; }

  void CheckTwoMasters();
  void CheckSomebodyServes();
  void CheckNode(int node);
  void CheckFault(int node);
  void CheckCommands(int node);
  void CheckDecision(int node, const core::LogDecision& decision);
  void CheckHandsOver(int node);
  void CheckPersist(int node, const core::Durable& durable);
  void CheckOver(int node);
  void CheckRefuted(int node);
  void NoteAsked(int node, const core::OperationAsked& asked);
  void CheckTold(int node, const core::NodeState& state);
  void CheckFinished(int node, const core::Finished& finished);
  void GoesOut(int node, const Asked& asked);
  bool CouldServe(int node) const;

  const Pair* pair_ = nullptr;
  std::string broken_;
  std::array<Record, 2> records_;
  Lasting two_masters_;
  // The longest interval that either node was ever configured for: its way out may be under way.
  absl::Duration slowest_;
  absl::Duration unserved_bound_;  // with that
  absl::Time last_served_ = absl::InfinitePast();
};

}  // namespace zcluster::sim
