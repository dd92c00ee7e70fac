// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "agent/core/event.h"
#include "agent/core/types.h"

// All that the brain can order. Plain structs; adapters carry them out, in order.
namespace zcluster::core {

// Put `durable` on disk. Answered by one Persisted.
struct Persist {
  Durable durable;
};

// Make keepalived stand aside (or no longer). With an empty reason the fault ends. But for a
// maintenance it is a lease: it ends by itself after `lease` unless it is ordered anew, even if
// this agent is dead by then.
struct SetFault {
  std::string reason;
  absl::Duration lease = absl::InfiniteDuration();
};

// Tell VRRP of the last promotion.
struct SetStanding {
  Standing standing = Standing::kStandby;
};

// Start keepalived, or adopt the one that runs. Comes once, after the first SetFault and
// SetStanding, so that a node in maintenance never becomes master by starting.
struct StartHeartbeat {};

// Tell the network where the VIPs are.
struct Announce {};

// The node's part in replication from now on. A master captures and sends, a backup or a node in
// maintenance applies what a master of that term or a later one sends, others do neither. A node in
// FAULT is told kBackup: it receives, so as to be ready when the fault ends; one that hands over
// stays kMaster until its peer serves, lest flows made in between are lost. Repeated when only the
// term changed. `merge`, of a node that has been master: the peer is master too and stays it, so
// what it lacks of this node's flows goes there, whatever the role, until the flag is taken back;
// answered by one Merged. `term` is then that of this node's own mastership.
struct AssumeRole {
  Role role = Role::kUnknown;
  Term term;
  bool merge = false;
  bool operator==(const AssumeRole&) const = default;
};

// Answer Flushed{operation, replicator} once all that changed until now is acknowledged by the
// peer.
struct Flush {
  OperationId operation;
  Replicator replicator = Replicator::kConntrack;
};

// The hand-over is over, one way or the other: commands that have waited since Flush go on,
// wherever the master is now. A promise, so that it comes after the role.
struct ReleaseCommands {};

// Ask the peer whether it serves. Answered by PeerAnswered with the same nonce, or not.
struct AskPeer {
  uint64_t nonce = 0;
};

// Answer its question.
struct AnswerPeer {
  uint64_t nonce = 0;
  Testimony testimony;
};

// See whether the clients' path lives, from now on. Answered by one PathProbed.
struct ProbePath {
  uint64_t nonce = 0;
};

// Tell the peer how this node is. A promise: what it says of terms is on disk before it leaves.
struct SendState {
  NodeState state;
};

// A step of an operation is done.
struct Progressed {
  OperationId operation;
  std::string what;
};

// An operation ended. A promise.
struct Finished {
  OperationId operation;
  absl::Status status;
};

// What the agent's API shows from now on.
struct Publish {
  View view;
};

// A decision, to be logged once: `promoted term=8 cause=...`. `event` is a stable name.
struct LogDecision {
  std::string event;
  std::vector<std::pair<std::string, std::string>> fields;
  bool warning = false;  // an operator should act on it
};

using Action = std::variant<Persist, SetFault, SetStanding, StartHeartbeat, Announce, AssumeRole,
                            Flush, SendState, Progressed, Finished, Publish, LogDecision,
                            ReleaseCommands, AskPeer, AnswerPeer, ProbePath>;

// A promise tells somebody else something that must survive a crash, so it waits for the disk.
bool IsPromise(const Action& action);

}  // namespace zcluster::core
