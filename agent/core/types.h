// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
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

// Connections of this node's kernel, as counted last, replicated or not.
struct FlowClasses {
  bool known = false;       // they were counted
  uint64_t forwarded = 0;   // through the node, as they are
  uint64_t translated = 0;  // through the node, with NAT
  uint64_t local = 0;       // one of their ends is the node
  uint64_t own = 0;         // the agents' link, loopback
  uint64_t filtered = 0;    // not replicated by the pair's configuration
  bool operator==(const FlowClasses&) const = default;
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
  uint64_t digest = 0;         // of what the backup holds; 0: not known
  bool differs = false;        // from what the master has sent
  uint64_t verifications = 0;  // comparisons of the two kernels' tables that an operator asked for
  uint64_t differing = 0;      // flows that differed in them
  uint64_t repairs = 0;        // snapshots because the tables differed
  FlowClasses classes;
  // What the backup's kernel did not take, and what that holds if it is full; see proto.
  uint64_t missing = 0;
  uint64_t table_entries = 0;
  uint64_t table_maximum = 0;
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

// Something of this node that a failover depends on (proto Fact). `name` is stable, such as
// "sysctl net.ipv4.ip_forward"; what the pair compares has the same name on both nodes.
struct Fact {
  std::string name;
  std::string value;
  bool operator==(const Fact&) const = default;
};

// One thing that shows whether this node can serve, besides what VRRP itself sees (proto
// HealthCheck).
struct HealthCheck {
  std::string name;  // "interface front", "gateway 10.10.0.254", "check"
  bool passes = true;
  std::string evidence = {};  // one sentence without a full stop
  // The other node may see the same fault so much later.
  absl::Duration settles = absl::ZeroDuration();
  bool operator==(const HealthCheck&) const = default;
};

// Whether automatic decisions are suspended. Of two that differ the higher version holds, and of
// equal ones the active one: so a freeze that was ordered on either node becomes that of both.
struct Freeze {
  uint64_t version = 0;  // grows by one with each order; 0: nobody ever froze the pair
  bool active = false;
  std::string reason = {};  // as the operator gave it; may be empty
  bool operator==(const Freeze&) const = default;
};

// What a node that lives says when it is asked whether it serves (proto Answer).
struct Testimony {
  bool master = false;      // keepalived here says MASTER
  bool path_alive = false;  // the clients' path was seen alive since the question came
  std::string evidence;     // how that is known, or why not; one sentence
  bool operator==(const Testimony&) const = default;
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
  std::vector<Fact> facts;
  absl::Time wall = absl::InfinitePast();  // the node's wall clock; InfinitePast(): not told
  // As in Durable; `..._since` and `..._until` by this node's wall clock.
  std::string maintenance_reason = {};
  absl::Time maintenance_until = absl::InfiniteFuture();
  std::vector<HealthCheck> checks = {};
  Freeze freeze = {};
  bool operator==(const NodeState&) const = default;
};

// The longest reason that an operator may give for what they ask, in bytes.
constexpr size_t kMaxReason = 256;

// What must survive a crash. Times are of the wall clock: they outlive a boot.
struct Durable {
  Term highest_term;  // highest that this node has seen
  Term own_term;      // of this node's last promotion
  bool maintenance = false;
  std::string maintenance_reason = {};  // as the operator gave it; may be empty
  absl::Time maintenance_since = absl::InfinitePast();
  absl::Time maintenance_until = absl::InfiniteFuture();  // it ends by itself then
  Freeze freeze = {};
  // When this node, not being master, last held all that the master held; to a minute.
  absl::Time synchronised = absl::InfinitePast();
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
  bool has_commands = false;  // a catalogue that is not empty
  bool operator==(const Config&) const = default;

  // The silence after which a standby takes over: three intervals plus skew (RFC 5798, 6.1).
  absl::Duration MasterDownInterval() const {
    constexpr int kSkew256ths = 256 - static_cast<int>(Standing::kStandby);
    return 3 * advert_interval + kSkew256ths * advert_interval / 256;
  }
};

// One thing that must be so for a failover to succeed, with what is known of it (proto
// Precondition).
struct Precondition {
  std::string name = {};  // stable, such as "link" or "sysctl net.ipv4.ip_forward"
  std::string node = {};  // whom it is about, or who sees it so; empty: both
  bool met = false;
  bool warning = false;       // met, but somebody should look
  std::string evidence = {};  // one sentence; says what is wrong if not met
  bool operator==(const Precondition&) const = default;
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
  std::vector<Precondition> readiness;
  LinkView link;
  absl::Time heard = absl::InfinitePast();  // last word of the peer; loop clock
  ConntrackState conntrack;
  std::vector<RootState> roots;
  bool operator==(const View&) const = default;
};

}  // namespace zcluster::core
