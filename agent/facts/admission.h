// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/types.h"

// Whether the packet filters of this machine let through what the pair lives by. An accept in our
// own table is not final: whatever drops in another table at the same hook still wins.
namespace zcluster::facts {

// What must pass, in both directions. Without a peer address nothing is judged.
struct MustPass {
  std::string interface;                    // VRRP's
  std::string address;                      // this node's on it, IPv4
  std::string peer_address;                 // the peer's
  bool multicast = false;                   // adverts go to VRRP's group
  int link_port = 0;                        // where both agents listen
  std::vector<std::string> link_addresses;  // the peer's on the link, IPv4 or IPv6
  bool operator==(const MustPass&) const = default;
};

// Walks the chains of `ruleset`, as `nft -j list ruleset` prints it, with a packet of each kind.
// Two facts: of the heartbeat, and of the link; empty if nothing drops it for certain, else a
// sentence with the chain and the rule to add. What cannot be judged from the rules alone (a set by
// its name, a rate, an extension of iptables) counts as letting through: no false alarm. None if
// `ruleset` is no such text. Pure.
std::vector<core::Fact> Judge(const std::string& ruleset, const MustPass& must);

// The same of this machine, in the network namespace of the calling thread. Not thread-safe.
class Admission {
 public:
  // Asks `nft`, if the rules or `must` have changed since the last call; waits for it at most 2 s,
  // and no longer than until `stop` is readable. None if it cannot be known.
  std::vector<core::Fact> Look(const MustPass& must, int stop, const std::string& nft);

 private:
  std::optional<uint32_t> generation_;  // of the rules that were judged
  MustPass must_;
  std::vector<core::Fact> facts_;
};

}  // namespace zcluster::facts
