// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"

// The brain's words. Plain values: copy them, compare them, use them from any thread.
namespace zcluster::core {

// Grows by one at each promotion in the pair. 0: nobody was ever master.
struct Term {
  uint64_t value = 0;
  auto operator<=>(const Term&) const = default;
  Term Next() const { return Term{value + 1}; }
};

// Names an operation that an operator (or the brain itself) asked for; unique while the agent runs.
struct OperationId {
  uint64_t value = 0;
  auto operator<=>(const OperationId&) const = default;
};

enum class Role { kUnknown, kMaster, kBackup, kMaintenance, kFault, kUnconfigured };

enum class Status { kGreen, kRed, kGrey, kOrange };

// What keepalived on this node says of itself.
enum class VrrpState {
  kDown,    // not running
  kBackup,  // hears a master, or waits for one
  kMaster,  // holds the VIPs
  kFault,   // made to stand aside
};

// What the brain wants VRRP to tell of the last promotion, so that keepalived and the terms agree
// when a split heals (DESIGN §5.1). The value is the VRRP priority.
enum class Standing : uint8_t {
  kStandby = 252,
  kMaster = 253,
  kPromotedAlone = 254,  // promoted while the peer was silent, which has not acknowledged it since
};

// Conntrack replication as this node sees it (proto ConntrackState has the meaning of each).
struct ConntrackState {
  bool synchronised = false;
  absl::Duration lag = absl::ZeroDuration();
  uint64_t flows = 0;
  uint64_t changes = 0;
  uint64_t snapshots = 0;
  uint64_t overruns = 0;
  uint64_t refused = 0;
  std::string problem;
  bool operator==(const ConntrackState&) const = default;
};

// One synchronised root as this node sees it (proto RootState).
struct RootState {
  std::string path;
  std::string local_digest;
  std::string remote_digest;
  uint64_t entries = 0;
  std::string problem;
  bool Equal() const { return !local_digest.empty() && local_digest == remote_digest; }
  bool operator==(const RootState&) const = default;
};

// What a node tells its peer of itself (proto NodeState).
struct NodeState {
  Term term;
  Term own_term;
  Role role = Role::kUnknown;
  Status status = Status::kGrey;
  std::string message;
  uint8_t priority = 0;
  std::vector<std::string> not_ready;
  ConntrackState conntrack;
  std::vector<RootState> roots;
  bool operator==(const NodeState&) const = default;
};

// What must survive a crash.
struct Durable {
  Term highest_term;  // highest that this node has seen
  Term own_term;      // of this node's last promotion
  bool maintenance = false;
  bool operator==(const Durable&) const = default;
};

enum class Failback { kKeep, kPreferred };

// What the brain must know of the configuration. The names and addresses are for its life; the rest
// changes with Configured.
struct Config {
  std::string node_name;
  std::string node_address;  // IPv4: settles a tie of terms and priorities, as VRRP does
  std::string peer_name;
  std::string peer_address;

  Failback failback = Failback::kKeep;
  std::string preferred;  // a node's name; matters under kPreferred
  absl::Duration advert_interval = absl::Seconds(1);
  bool replicate_conntrack = true;
  bool has_roots = false;
  bool operator==(const Config&) const = default;

  // The silence after which a standby takes over: three intervals plus skew (RFC 5798, 6.1).
  absl::Duration MasterDownInterval() const {
    constexpr int kSkew256ths = 256 - static_cast<int>(Standing::kStandby);
    return 3 * advert_interval + kSkew256ths * advert_interval / 256;
  }
};

// One thing that must be so for a failover to succeed, with what is known of it.
struct Precondition {
  bool met = false;
  std::string evidence;  // one sentence; says what is wrong if not met
};

// One node as `zctl nodes` shows it.
struct NodeView {
  std::string name;
  std::string address;
  Role role = Role::kUnknown;
  Status status = Status::kGrey;
  std::string message;
  bool operator==(const NodeView&) const = default;
};

// The link to the peer as `zctl status` shows it.
struct LinkView {
  bool up = false;
  std::string address;
  std::string version;
  std::string problem;
  absl::Time since;  // loop clock
  bool operator==(const LinkView&) const = default;
};

// All that the agent's own API shows of the brain's state.
struct View {
  NodeView local;
  NodeView remote;
  Term term;
  Term own_term;
  std::vector<std::string> not_ready;  // empty: a failover right now would succeed
  LinkView link;
  absl::Time heard = absl::InfinitePast();  // last word of the peer; loop clock
  ConntrackState conntrack;
  std::vector<RootState> roots;
  bool operator==(const View&) const = default;
};

}  // namespace zcluster::core
