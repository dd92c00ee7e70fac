// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "agent/core/event.h"
#include "agent/core/types.h"

// What one node knows of the pair. Only brain.cc changes it; every question is a pure function of
// it.
namespace zcluster::core {

// The peer, as far as the link lets us see it.
struct Peer {
  bool connected = false;
  absl::Time since = absl::InfinitePast();  // of the connection, or of its loss
  std::string address;
  std::string version;
  std::string problem = "no attempt to reach it has ended yet";  // while not connected
  absl::Time heard = absl::InfinitePast();  // last, whatever it said; outlives the connection
  std::optional<NodeState> told;  // on this connection; what an earlier one said counts no more

  // How far its wall clock is ahead of ours; empty: not known. Small changes are left out.
  std::optional<absl::Duration> clock_ahead;

  bool Says(Role role) const { return connected && told && told->role == role; }
};

// keepalived made this node master although the peer, which is seen, says that it is: the peer is
// asked. Lasts until the takeover holds, or VRRP has let go again. Meanwhile the node has the VIPs
// and says so, but has no term.
struct Question {
  uint64_t nonce = 0;
  absl::Time until;  // an answer counts
  std::optional<Testimony> answer;
  bool refuted = false;
};

// Giving way to a peer that is master too.
struct Yielding {
  bool active = false;
  absl::Time since = absl::InfinitePast();
  absl::Time ended = absl::InfinitePast();  // of the last one
  absl::Duration hold =
      absl::ZeroDuration();  // the fault stays that long if the peer still is master
  absl::Time HeldUntil() const { return since + hold; }
};

// Two have been master beside each other, and this node gives way: what its clients opened here
// goes into the peer's table (merge.h).
struct Merging {
  absl::Time since = absl::InfinitePast();
  bool done = false;
};

// After a boot: standing aside until there is something to serve with, for a bounded time.
struct BootGate {
  bool closed = false;
  absl::Time opens_at = absl::InfinitePast();  // whatever is missing then
};

// Where the operation under way stands. Each phase waits for one thing, at most PhaseBound() long.
enum class Phase {
  kFlushing,       // the peer acknowledges all that it has not got yet
  kHandingOver,    // in FAULT until the peer is master
  kReturning,      // out of FAULT, until VRRP says BACKUP
  kGoingOut,       // maintenance is on its way to the disk, VRRP to FAULT
  kSynchronising,  // in maintenance still, until nothing is missing here
  kComingIn,       // the end of maintenance is on its way to the disk
  kRejoining,      // out of FAULT, until VRRP says so
};

struct Operation {
  OperationId id;
  OperationKind kind = OperationKind::kSwitchover;
  bool force = false;
  std::string by = {};                               // who asked
  std::string reason = {};                           // that was given
  absl::Duration length = absl::InfiniteDuration();  // of a maintenance
  absl::Time asked;
  Phase phase = Phase::kFlushing;
  absl::Time deadline;  // of the phase
  bool awaits_flows = false;
  bool awaits_files = false;
  bool awaits_commands = false;
  bool by_health = false;  // the peer can serve better: what it lacks yet is no reason to stay
  bool froze = false;      // automatic decisions are suspended because of it

  // What is not ready is not waited for longer than a phase lasts.
  bool GoesOnAnyway() const { return force || by_health; }
  // A failback, a move by health, or a maintenance whose time is over: nobody asked, so nobody is
  // answered.
  bool OfTheBrain() const { return id == OperationId{}; }
};

// Of the maintenance in force, if it has an end; by the loop's clock.
struct MaintenanceTime {
  std::optional<absl::Time> ends;  // from the first tick on that knows the wall clock
  bool over = false;               // it has ended; the node comes back as soon as it may
  absl::Time no_return_before = absl::InfinitePast();
};

// Of the decisions that health led to.
struct HealthMoves {
  std::optional<absl::Time> worse_since;  // this node is master, and its peer could serve better
  std::vector<absl::Time> made;           // by either node; the latest few, oldest first
  absl::Time none_before = absl::InfinitePast();  // the last one did not succeed
  bool held = false;                              // one is due, and held back
};

// Both nodes as this one sees them.
struct State {
  Config config;

  // What shall survive a crash, what of it is on disk, and what is on its way there, oldest first.
  Durable durable;
  Durable on_disk;
  std::vector<Durable> under_way;

  bool started = false;
  std::optional<VrrpState> vrrp;  // empty until keepalived was heard
  Role role = Role::kUnknown;     // as last decided
  absl::Time role_since = absl::InfinitePast();
  bool acknowledged = false;         // the peer has told that it stands by in our own term
  bool contested = false;            // the peer was seen as master since we are
  std::optional<Question> question;  // to the peer; see there
  std::optional<uint64_t> asked;     // the nonce of its question that waits for our path

  std::map<std::string, std::string> problems;  // component -> sentence
  ConntrackState conntrack;
  std::vector<RootState> roots;
  std::vector<Fact> facts;
  std::vector<HealthCheck> checks;
  Peer peer;
  absl::Time wall = absl::InfinitePast();     // of the last tick
  absl::Time wall_at = absl::InfinitePast();  // when that was, by the loop's clock

  BootGate boot_gate;
  // Of a node that took part although it did not know what its peer holds: how old what it has is.
  // Until it knows.
  std::string unproven;
  Yielding yielding;
  std::optional<Merging> merging;
  std::optional<Operation> operation;
  absl::Time no_failback_before = absl::InfinitePast();
  MaintenanceTime maintenance_time;
  HealthMoves moves;
};

}  // namespace zcluster::core
