// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "agent/core/types.h"

// All that can happen to a node. Plain structs; adapters make them, the brain reads them.
namespace zcluster::core {

// The agent runs; what it knew durably was given to the brain when it was made.
struct Started {};

// Time passes: at least every 100 ms. `wall` is for what outlives a boot; it may jump.
struct Ticked {
  absl::Time wall = absl::InfinitePast();
};

// The oldest Persist action that was not reported yet is on disk. One for each, in order.
struct Persisted {};

// keepalived's state changed, or was found when the agent adopted a running one. Duplicates are
// harmless.
struct VrrpReported {
  VrrpState state = VrrpState::kDown;
  uint64_t nonce = 0;  // another each time, and nobody can guess it: see AskPeer
};

// keepalived did not run when the agent began (the machine booted, or somebody ended both): it is
// being started standing aside, whatever was ordered before, until SetFault says otherwise. Or it
// was started so just now, by whoever boots the machine.
struct VrrpStarting {
  absl::Duration aside = absl::InfiniteDuration();  // at most; never longer than kBootGate
};

// A part of this node has a lasting problem (or, with an empty one, no longer has it).
struct ComponentReported {
  std::string component;  // stable name, such as "heartbeat", "interface front"
  std::string problem;    // one sentence without a full stop
};

// The component that has a problem while keepalived hangs: what it said last may be MASTER, but
// nobody hears it say so any more.
inline constexpr char kHungKeepalived[] = "keepalived";

// The link lives: both sides said hello.
struct PeerConnected {
  std::string address;
  std::string version;
  Term term;
};

// The link is down, or an attempt to raise it failed. Repeated with each new reason.
struct PeerDisconnected {
  std::string reason;
};

// The peer told how it is.
struct PeerReported {
  NodeState state;
};

// Conntrack replication changed.
struct ConntrackReported {
  ConntrackState state;
};

// The synchronised roots changed; all of them, in the order of the configuration.
struct RootsReported {
  std::vector<RootState> roots;
};

// AssumeRole{merge} is done: the peer's table has what it lacked of this node's.
struct Merged {};

// Which adapter a flush is about.
enum class Replicator { kConntrack, kConfig, kCommands };

// All that had changed when Flush{operation} was ordered is acknowledged by the peer. Of commands:
// what ran has ended on both nodes, and what is asked for from now on waits for ReleaseCommands.
struct Flushed {
  OperationId operation;
  Replicator replicator = Replicator::kConntrack;
};

enum class OperationKind { kSwitchover, kEnterMaintenance, kStartMaintenance, kFreeze, kUnfreeze };

// An operator asks. Answered by Progressed actions and one Finished.
struct OperationAsked {
  OperationId operation;
  OperationKind kind = OperationKind::kSwitchover;
  bool force = false;
  std::string reason = {};                           // may be empty
  absl::Duration length = absl::InfiniteDuration();  // of a maintenance
  std::string by = {};                               // who asks, for whoever asks later
};

// What a failover depends on has changed; all of it.
struct FactsReported {
  std::vector<Fact> facts;
};

// Whether this node can serve, besides what VRRP itself sees: all checks that have a result, in the
// order of the configuration.
struct HealthReported {
  std::vector<HealthCheck> checks;
};

// The peer took over, or is about to, and asks whether we serve all the same.
struct PeerAsked {
  uint64_t nonce = 0;
};

// What the peer says to the question with that nonce.
struct PeerAnswered {
  uint64_t nonce = 0;
  Testimony testimony;
};

// What came of ProbePath{nonce}.
struct PathProbed {
  uint64_t nonce = 0;
  bool alive = false;
  std::string evidence;
};

// What this machine saw of the network around the latest Announce; each at most once for it.
struct NetworkSeen {
  enum class What {
    kLastAdvert,   // of the peer: before it
    kVips,         // all of them are on their interfaces
    kFirstPacket,  // to one of them has come
  };
  What what = What::kLastAdvert;
  absl::Duration after;  // since the Announce; below zero: before it
};

// The pair's configuration was changed; from now on this one holds. Names and addresses are those
// that the brain was made with: a node that changes them is made anew. Only what the adapters
// report says how far they have followed, so it may come before or after they do.
struct Configured {
  Config config;
};

using Event =
    std::variant<Started, Ticked, Persisted, VrrpReported, VrrpStarting, ComponentReported,
                 PeerConnected, PeerDisconnected, PeerReported, ConntrackReported, RootsReported,
                 Flushed, OperationAsked, Configured, FactsReported, HealthReported, PeerAsked,
                 PeerAnswered, PathProbed, NetworkSeen, Merged>;

}  // namespace zcluster::core
